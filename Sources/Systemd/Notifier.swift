import Linux

#if Systemd
  import CSystemd
#endif

/// Tells the service manager how the daemon is doing; does nothing when there is none, or when the
/// program was built without the trait `Systemd`.
///
/// The corresponding C functions are `sd_notify(3)` and `sd_watchdog_enabled(3)`.
package struct Notifier: Sendable {
  private let send: @Sendable (String) -> Void

  /// The way to the service manager of this process (`NOTIFY_SOCKET`).
  package init() {
    #if Systemd
      // A service manager that cannot be reached is no reason to stop serving.
      self.init { _ = unsafe sd_notify(0, $0) }
    #else
      self.init { _ in }
    #endif
  }

  /// Another way, for tests.
  package init(send: @escaping @Sendable (String) -> Void) { self.send = send }

  /// The daemon serves: `systemctl start` returns.
  ///
  /// - Parameter status: One line for `systemctl status`.
  package func ready(status: String) { send("READY=1\nSTATUS=\(Self.line(status))") }

  /// Changes the line of `systemctl status`.
  package func status(_ status: String) { send("STATUS=\(Self.line(status))") }

  /// A reload begins; ``ready(status:)`` must follow whatever comes of it, or `systemctl reload`
  /// waits for ever.
  package func reloading() {
    send("RELOADING=1\nMONOTONIC_USEC=\(Instant.now.nanoseconds / 1000)")
  }

  /// The daemon is on its way out.
  ///
  /// - Parameter status: One line for `systemctl status`.
  package func stopping(status: String) { send("STOPPING=1\nSTATUS=\(Self.line(status))") }

  /// Asks for more time for what is under way, the start for example: nothing more is heard until
  /// then, or the unit's own timeout is over.
  package func extendTimeout(by time: Duration) {
    send("EXTEND_TIMEOUT_USEC=\(max(1, time.nanoseconds / 1000))")
  }

  /// The loop turns; without this for too long the daemon is started anew.
  package func watchdog() { send("WATCHDOG=1") }

  /// How long the service manager waits for ``watchdog()`` (`WatchdogSec=`); nil if it does not.
  package var watchdogTimeout: Duration? {
    #if Systemd
      var microseconds: UInt64 = 0
      guard unsafe sd_watchdog_enabled(0, &microseconds) > 0 else { return nil }
      return .microseconds(Int64(clamping: microseconds))
    #else
      return nil
    #endif
  }

  /// A status is one line: a name in it must not end it and begin another assignment.
  static func line(_ text: String) -> String {
    String(decoding: text.utf8.map { $0 < 0x20 ? UInt8(ascii: " ") : $0 }, as: UTF8.self)
  }
}
