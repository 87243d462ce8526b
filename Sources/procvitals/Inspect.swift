import Arguments
import Linux
import ProcFS

/// `procvitals inspect`.
struct Inspect: Command {
  static let name = "inspect"
  static let about =
    "Show one process: what it uses, its limits, and its Go runtime if it has one."

  var number = ""
  var watch = false
  var mounts = MountOptions()

  static var options: [Option<Self>] {
    [
      Option(argument: "pid", .text("pid"), into: \.number, "The number of the process."),
      Option(flag: "watch", into: \.watch, "Show it again every two seconds until it ends."),
    ] + MountOptions.options(at: \.mounts, section: "Mounts")
  }

  /// Between the two looks that tell how fast numbers rise.
  private static let interval = Duration.milliseconds(500)
  /// How long the process may take to say what only it can.
  private static let patience = Duration.seconds(5)

  func run() throws {
    let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
    guard number.utf8.allSatisfy(digits.contains), let pid = Int32(number), pid > 0 else {
      throw Failure.usage(
        "\"\(printable(number))\" is no process: expected its number, from 1 to \(Int32.max)")
    }
    try mounts.check()
    do {
      if watch {
        // Before any thread is started, which would take the signals.
        let signals = try SignalFD(Signal.allCases)
        try InspectWatch(try process(pid), signals).run()
      } else {
        let process = try process(pid)
        let before = try process.glance()
        pause(for: Self.interval)
        let report = InspectReport(pid, try process.look(patience: Self.patience), before)
        let lines = Screen.lines(report.sections)
        try writeAll(Array((lines.joined(separator: "\n") + "\n").utf8), to: 1)
      }
    } catch let error as ProcError {
      throw Failure.running("process \(pid): \(error)")
    } catch let error as Errno where error == .brokenPipe {
      // Whoever does not read on has seen enough.
    } catch let error as Errno {
      throw Failure.running("process \(pid) cannot be shown: \(error)")
    }
  }

  private func process(_ pid: Int32) throws -> InspectedProcess {
    try InspectedProcess(
      pid: pid, root: try ProcRoot(path: mounts.procPath, facts: .current()),
      cgroups: CgroupTree(path: mounts.cgroupPath), try BatchReader(threads: 4), try Waiter())
  }
}
