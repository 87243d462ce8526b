import Foundation
import Glibc
import Linux
import Testing

@testable import Systemd

#if Systemd
  /// The service manager's end of `sd_notify(3)`: a datagram socket with a path.
  ///
  /// The environment belongs to the whole process, so it is used in children only.
  private final class Manager {
    private let socket: Int32
    private let path: String

    init() throws {
      var template = Array("/tmp/procvitals-notify-XXXXXX".utf8CString)
      let directory = String(cString: try #require(mkdtemp(&template)))
      path = directory + "/socket"
      socket = Glibc.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_NONBLOCK.rawValue), 0)
      var name = sockaddr_un()
      name.sun_family = sa_family_t(AF_UNIX)
      withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: path.utf8) }
      let code = withUnsafePointer(to: &name) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          bind(socket, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
        }
      }
      try #require(code == 0)
      setenv("NOTIFY_SOCKET", path, 1)
    }

    deinit {
      close(socket)
      try? FileManager.default.removeItem(atPath: String(path.dropLast("/socket".count)))
    }

    /// The next message; nil if there is none.
    func message() -> String? {
      var bytes = [UInt8](repeating: 0, count: 4096)
      let count = recv(socket, &bytes, bytes.count, 0)
      return count < 0 ? nil : String(decoding: bytes[..<count], as: UTF8.self)
    }
  }
#endif

@Suite struct NotifierTests {
  #if Systemd
    @Test func messages() async {
      await #expect(processExitsWith: .success) {
        let manager = try Manager()
        let notifier = Notifier()
        notifier.ready(status: "serving")
        #expect(manager.message() == "READY=1\nSTATUS=serving")
        notifier.status("two\nlines\nREADY=1")
        #expect(manager.message() == "STATUS=two lines READY=1")
        notifier.ready(status: "a\nSTOPPING=1")
        #expect(manager.message() == "READY=1\nSTATUS=a STOPPING=1")
        notifier.watchdog()
        #expect(manager.message() == "WATCHDOG=1")
        notifier.stopping()
        #expect(manager.message() == "STOPPING=1")
        #expect(manager.message() == nil)
      }
    }

    @Test func reloadingSaysWhen() async {
      await #expect(processExitsWith: .success) {
        let manager = try Manager()
        let before = Instant.now.nanoseconds / 1000
        Notifier().reloading()
        let after = Instant.now.nanoseconds / 1000
        let message = try #require(manager.message())
        let prefix = "RELOADING=1\nMONOTONIC_USEC="
        #expect(message.hasPrefix(prefix))
        let time = try #require(UInt64(message.dropFirst(prefix.count)))
        #expect((before...after).contains(time))
      }
    }

    @Test func managerThatIsGoneDoesNotMatter() async {
      await #expect(processExitsWith: .success) {
        do { _ = try Manager() }
        Notifier().ready(status: "serving")
        setenv("NOTIFY_SOCKET", "nonsense", 1)
        Notifier().stopping()
      }
    }

    @Test func watchdogTimeout() async {
      await #expect(processExitsWith: .success) {
        #expect(Notifier().watchdogTimeout == nil)
        setenv("WATCHDOG_USEC", "30000000", 1)
        #expect(Notifier().watchdogTimeout == .seconds(30))
        setenv("WATCHDOG_PID", "\(getpid())", 1)
        #expect(Notifier().watchdogTimeout == .seconds(30))
        setenv("WATCHDOG_PID", "1", 1)
        #expect(Notifier().watchdogTimeout == nil, "meant for another process")
        unsetenv("WATCHDOG_PID")
        setenv("WATCHDOG_USEC", "soon", 1)
        #expect(Notifier().watchdogTimeout == nil)
      }
    }
  #endif

  @Test func withoutAManagerNothingHappens() async {
    await #expect(processExitsWith: .success) {
      for name in ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"] { unsetenv(name) }
      let notifier = Notifier()
      notifier.ready(status: "serving")
      notifier.status("serving")
      notifier.reloading()
      notifier.watchdog()
      notifier.stopping()
      #expect(notifier.watchdogTimeout == nil)
    }
  }

  @Test(arguments: [
    ("", ""), ("serving", "serving"), ("a\nb", "a b"), ("\r\n\t\u{1b}\0", "     "),
    ("é\u{1}\u{4e16}", "é \u{4e16}"), ("a=b; \"c\"", "a=b; \"c\""),
  ])
  func statusIsOneLine(text: String, expected: String) {
    #expect(Notifier.line(text) == expected)
  }
}
