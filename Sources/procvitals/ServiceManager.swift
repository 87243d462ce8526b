import Linux
import Systemd

/// Tells the service manager where the daemon is in its life, each change once.
///
/// Belongs to the loop, and so do the signs of life: a loop that stands still sends none.
final class ServiceManager: EventHandler {
  /// How often more time to start is asked for.
  static let askInterval = Duration.seconds(10)
  /// How long it is asked for.
  ///
  /// A collection gets ten seconds to read, so a first one that is still under way then waits for
  /// the kernel or a file system. Killing the daemon would not help, and meanwhile it answers
  /// requests; but `systemctl start`, an upgrade and the boot wait for it too, so in the end the
  /// unit's own `TimeoutStartSec=` decides.
  static let longestStart = Duration.seconds(300)

  private enum Phase { case starting, serving, stopping }

  private let loop: EventLoop
  private let notifier: Notifier
  private let askInterval: Duration
  private let startDeadline: Instant
  private var phase = Phase.starting
  private var status = ""
  /// Reloads that were asked for and are not over, and whether the service manager waits for their end.
  private var reloads = 0
  private var isReloading = false
  private var watchdogToken: EventToken?
  private var startToken: EventToken?

  /// A daemon that starts.
  ///
  /// - Parameters:
  ///   - loop: The daemon's loop.
  ///   - notifier: The way to the service manager.
  ///   - askInterval: See ``ServiceManager/askInterval``.
  ///   - longestStart: See ``ServiceManager/longestStart``.
  init(
    _ loop: EventLoop, _ notifier: Notifier = Notifier(), askInterval: Duration = askInterval,
    longestStart: Duration = longestStart
  ) {
    self.loop = loop
    self.notifier = notifier
    self.askInterval = askInterval
    startDeadline = .now + longestStart
  }

  /// The loop is about to turn; the first collection begins.
  func start() {
    notifier.status("the first collection is under way")
    startToken = loop.add(self)
    askForTime()
    watch()
  }

  /// A collection is over, or something else that the status tells has changed.
  ///
  /// The first time the daemon is ready.
  func serve(_ status: String) {
    switch phase {
    case .starting:
      phase = .serving
      if let startToken { loop.remove(startToken) }
      startToken = nil
      ready(status)
    case .serving: update(status)
    case .stopping: break
    }
  }

  /// The status may have changed.
  func update(_ status: String) {
    if phase != .serving || status == self.status { return }
    self.status = status
    notifier.status(status)
  }

  /// Somebody has asked for a reload; ``didReload(_:)`` must follow.
  ///
  /// Each time is told, because the service manager may wait for one that began after it asked.
  ///
  /// - Parameter isAnother: False if it is one that has been told already and has not begun.
  func willReload(isAnother: Bool = true) {
    if isAnother { reloads += 1 }
    // The end of the start is what whoever asks before waits for.
    if phase != .serving { return }
    isReloading = true
    notifier.reloading()
  }

  /// A reload is over, whatever came of it: without this `systemctl reload` would wait for ever.
  func didReload(_ status: String) {
    reloads -= 1
    if isReloading, reloads == 0, phase == .serving {
      isReloading = false
      ready(status)
    } else {
      update(status)
    }
  }

  /// The daemon ends; nothing more is told but that it is alive.
  func stop(_ status: String) {
    if phase == .stopping { return }
    phase = .stopping
    notifier.stopping(status: status)
  }

  func ready(_ token: EventToken, _ readiness: Readiness) {}

  func expired(_ token: EventToken) {
    if token == watchdogToken { watch() } else { askForTime() }
  }

  private func ready(_ status: String) {
    self.status = status
    notifier.ready(status: status)
  }

  private func askForTime() {
    guard phase == .starting, let startToken, .now < startDeadline else { return }
    // A message that is late because the machine is busy does no harm.
    notifier.extendTimeout(by: askInterval * 3)
    loop.setDeadline(startToken, .now + askInterval)
  }

  private func watch() {
    guard let timeout = notifier.watchdogTimeout else { return }
    notifier.watchdog()
    let token = watchdogToken ?? loop.add(self)
    watchdogToken = token
    loop.setDeadline(token, .now + timeout / 2)
  }
}
