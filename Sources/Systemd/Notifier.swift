import Linux

#if Systemd
  import CSystemd
#endif

/// Tells the service manager how the daemon is doing; does nothing when there is none, or when the
/// program was built without the trait `Systemd`.
///
/// The corresponding C functions are `sd_notify(3)` and `sd_watchdog_enabled(3)`.
package struct Notifier: Sendable {
  package init() {}

  /// The daemon serves: `systemctl start` returns.
  ///
  /// - Parameter status: One line for `systemctl status`.
  package func ready(status: String) { notify("READY=1\nSTATUS=\(Self.line(status))") }

  /// Changes the line of `systemctl status`.
  package func status(_ status: String) { notify("STATUS=\(Self.line(status))") }

  /// A reload begins; ``ready(status:)`` must follow whatever comes of it, or `systemctl reload`
  /// waits for ever.
  package func reloading() {
    notify("RELOADING=1\nMONOTONIC_USEC=\(Instant.now.nanoseconds / 1000)")
  }

  /// The daemon is on its way out.
  package func stopping() { notify("STOPPING=1") }

  /// The loop turns; without this for too long the daemon is started anew.
  package func watchdog() { notify("WATCHDOG=1") }

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

  private func notify(_ state: String) {
    #if Systemd
      // A service manager that cannot be reached is no reason to stop serving.
      _ = unsafe sd_notify(0, state)
    #endif
  }

  /// A status is one line: a name in it must not end it and begin another assignment.
  static func line(_ text: String) -> String {
    String(decoding: text.utf8.map { $0 < 0x20 ? UInt8(ascii: " ") : $0 }, as: UTF8.self)
  }
}
