import Linux
import ProcFS

/// `inspect --watch`: shows a process again and again until it ends or somebody stops it.
///
/// In place on a terminal, as blocks with an empty line between two of them elsewhere.
final class InspectWatch: EventHandler {
  /// Between the first two looks.
  private static let firstInterval = Duration.milliseconds(500)
  private static let interval = Duration.seconds(2)
  /// How long the process may take to say what only it can.
  private static let patience = Duration.seconds(1)

  private let process: InspectedProcess
  private let loop: EventLoop
  private let signals: SignalFD
  private let end: PidFD?
  private let isDumb = environmentVariable("TERM") == "dumb"
  private var signalToken: EventToken?
  private var next = Instant.now
  private var before: ProcessLook?
  private var shown: (title: String, sections: [InspectSection])?
  private var isOver = false
  private var failure: Errno?

  /// - Parameters:
  ///   - process: The process.
  ///   - signals: Opened before any thread was started.
  /// - Throws: `EMFILE`, `ENFILE`.
  init(_ process: InspectedProcess, _ signals: consuming SignalFD) throws(Errno) {
    self.process = process
    self.signals = signals
    loop = try EventLoop()
    end = process.end()
  }

  /// Returns when the process has ended, or at SIGINT, SIGTERM or SIGHUP.
  ///
  /// - Throws: What writing reports.
  func run() throws(Errno) {
    signalToken = try loop.add(signals.fd, .readable, self)
    if let end { _ = try loop.add(end.fd, .readable, self) }
    let timer = loop.add(self)
    before = try? process.glance()
    next = .now + Self.firstInterval
    loop.setDeadline(timer, next)
    try loop.run()
    if let failure { throw failure }
  }

  func ready(_ token: EventToken, _ readiness: Readiness) {
    guard token == signalToken else {
      // It may have ended before the first look.
      if shown == nil { show() }
      finish()
      return
    }
    while let signal = signals.next() {
      if signal == .windowChange { draw() } else { stop() }
    }
  }

  func expired(_ token: EventToken) {
    // What ended it may have come in the same turn.
    if isOver { return }
    show()
    next = max(next + Self.interval, .now)
    loop.setDeadline(token, next)
  }

  private func show() {
    let title = Quantity.moment(wallClockNanoseconds())
    do throws(ProcError) {
      let now = try process.look(patience: Self.patience)
      shown = (title, InspectReport(process.pid, now, before).sections)
      before = now
    } catch .gone {
      finish()
      return
    } catch {
      shown = (title, [InspectSection("process \(process.pid)", [("not known", "\(error)")])])
    }
    draw(isNew: true)
  }

  /// Writes what is shown; where it cannot be replaced, only once.
  private func draw(isNew: Bool = false) {
    guard let shown else { return }
    if !isDumb, let size = TerminalSize(of: 1) {
      write(Screen.frame(shown.title, shown.sections, size))
    } else if isNew {
      write(([shown.title] + Screen.lines(shown.sections)).joined(separator: "\n") + "\n\n")
    }
  }

  private func finish() {
    if isOver { return }
    let how =
      switch end?.exitStatus() {
      case .exited(let code): ", with the code \(code)"
      case .signalled(let signal, _): ", by \(signalName(signal))"
      case nil: ""
      }
    write("process \(process.pid) has ended\(how)\n")
    stop()
  }

  private func stop() {
    isOver = true
    loop.stop()
  }

  private func write(_ text: String) {
    do throws(Errno) {
      try writeAll(Array(text.utf8), to: 1)
    } catch {
      failure = error
      stop()
    }
  }
}
