import GoRuntime
import Linux
import ProcFS

/// What `inspect` found of a Go program.
struct GoFinding: Sendable {
  let sample: GoSample
  let machine: Machine
  /// Variables of the environment that the runtime obeys, as far as they are set.
  var variables: [(name: String, value: [UInt8])] = []
}

/// The Go runtime of one process, if it has one.
///
/// Reading it may wait for the process or for a file system, so it belongs on a waiter.
struct GoSubject: Sendable {
  indirect enum Finding: Sendable {
    case noGo
    case found(GoFinding)
    /// A Go program that cannot be read, and why.
    case unreadable(String)
  }

  private static let variables = ["GOGC", "GOMEMLIMIT", "GOMAXPROCS", "GODEBUG"]

  /// What it ran when it was looked at.
  let mark: Stat.ExecMark
  let hold: ProcessHold
  let program: FileFacts
  /// Nil where its number means nothing to system calls.
  let pid: Int32?
  private var outcome: ProgramFile.Outcome?
  private var process: GoProcess?

  init(_ mark: Stat.ExecMark, _ hold: ProcessHold, _ program: FileFacts, pid: Int32?) {
    (self.mark, self.hold, self.program, self.pid) = (mark, hold, program, pid)
  }

  /// Takes a sample.
  ///
  /// - Parameters:
  ///   - threads: Threads of the process as the kernel counts them.
  ///   - troubles: Gets what else could not be read.
  /// - Returns: What was found.
  /// - Throws: `gone` (also if it runs another program meanwhile), `denied`, `io`, `malformed`.
  mutating func look(
    threads: UInt64, _ troubles: inout [ProcError]
  ) throws(ProcError) -> Finding {
    let outcome: ProgramFile.Outcome
    if let known = self.outcome {
      outcome = known
    } else {
      outcome = try hold.program(program) { file throws(Errno) in try ProgramFile.read(file) }
      self.outcome = outcome
    }
    switch outcome {
    case .other: return .noGo
    case .unknown(let version): return .unreadable("the layout of \(version) is not known")
    case .program(let file):
      do throws(ProcError) {
        let sample = try sample(file, threads)
        var finding = GoFinding(sample: sample, machine: file.machine)
        do throws(ProcError) {
          let values = try hold.environment(Self.variables).values
          finding.variables = Self.variables.compactMap { name in
            values[name].map { (name, $0) }
          }
        } catch {
          troubles.append(error)
        }
        return .found(finding)
      } catch .denied {
        // Whatever was denied on the way, it is the memory that cannot be read.
        throw .denied(.mem)
      }
    }
  }

  private mutating func sample(
    _ file: ProgramFile, _ threads: UInt64
  ) throws(ProcError) -> GoSample {
    var process: GoProcess
    if let known = self.process {
      process = known
    } else {
      process = try GoProcess(file, hold, pid: pid)
    }
    let sample: GoSample
    do throws(Errno) {
      sample = try process.sample(systemThreads: threads)
    } catch {
      throw ProcError(.mem, error)
    }
    // Its number may have come to mean another process, or it another program.
    try hold.proveProgram(program)
    self.process = process
    return sample
  }
}
