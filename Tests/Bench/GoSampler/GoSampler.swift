// GoSampler PID SAMPLES [PER_SECOND]: samples a Go program that is not relocatable and prints the
// nanoseconds of CPU time of one sample; then the pieces that it reads each time, for readv.c.
import Glibc
import GoRuntime
import Linux

/// What was read last.
private final class Last: @unchecked Sendable { var pieces = MemoryPieces() }

private func cpuNanoseconds() -> Int64 {
  var time = timespec()
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
  return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
}

@main enum GoSampler {
  static func main() throws {
    let numbers = CommandLine.arguments.dropFirst().compactMap { Int($0) }
    guard numbers.count >= 2, let pid = Int32(exactly: numbers[0]) else { exit(2) }
    guard case .program(let file) = try ProgramFile.read(try openFile("/proc/\(pid)/exe", [.read]))
    else { exit(1) }
    let last = Last()
    var process = GoProcess(file, bias: 0) { (pieces, buffer) throws(Errno) in
      last.pieces = pieces
      try pieces.read(of: pid, into: &buffer)
    }
    for _ in 0..<10 { _ = try process.sample(systemThreads: 1000) }
    var spent: Int64 = 0
    for _ in 0..<numbers[1] {
      let start = cpuNanoseconds()
      _ = try process.sample(systemThreads: 1000)
      spent += cpuNanoseconds() - start
      if numbers.count > 2 { pause(for: .microseconds(1_000_000 / numbers[2])) }
    }
    print(spent / Int64(numbers[1]))
    for (address, length) in zip(last.pieces.addresses, last.pieces.lengths) {
      print(address, length)
    }
  }
}
