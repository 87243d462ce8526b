import Glibc
import Linux
import TestSupport
import Testing

@testable import Systemd

#if Systemd
  /// The service manager's end of `sd_notify(3)`: a datagram socket with a path.
  ///
  /// The environment belongs to the whole process, so it is used in children only.
  private final class Manager {
    private let directory: TemporaryDirectory
    private let socket: DatagramReceiver

    init() throws {
      directory = try TemporaryDirectory()
      socket = try DatagramReceiver(directory.path + "/socket")
      setenv("NOTIFY_SOCKET", socket.path, 1)
    }

    /// The next message; nil if there is none.
    func message() -> String? { socket.next().map { String(decoding: $0, as: UTF8.self) } }
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
        notifier.extendTimeout(by: .milliseconds(2500))
        #expect(manager.message() == "EXTEND_TIMEOUT_USEC=2500000")
        notifier.stopping(status: "bye\n")
        #expect(manager.message() == "STOPPING=1\nSTATUS=bye ")
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
        Notifier().stopping(status: "")
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
      notifier.extendTimeout(by: .seconds(1))
      notifier.stopping(status: "")
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
