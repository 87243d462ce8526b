import Glibc
import Linux
import ProcFS
import TestSupport
import Testing

@testable import Collector

/// System calls of a collection. Times depend on the machine; counts do not.
@Suite struct CostTests {
  /// For each process, all with one thread and kept files: stat, status and io read, the size of
  /// fd, and two limits.
  private static let callsPerProcess = 6
  /// Whatever the number of processes: nothing, where all are chosen by number.
  private static let callsPerPass = 0

  private static let canTrace: Bool = {
    guard program("strace") != nil, let child = try? Child("sleep", "1000") else { return false }
    let attempt = try? run(
      "timeout 10 strace -c -e trace=none -p \(child.pid) & sleep 0.2; kill -INT $!; wait $!")
    return attempt?.output.contains("attached") == true
  }()

  @Test func placeholder() {}
}
