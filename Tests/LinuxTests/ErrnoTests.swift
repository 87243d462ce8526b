import Glibc
import Testing

@testable import Linux

@Suite struct ErrnoTests {
  @Test(arguments: [
    (Errno.notFound, "No such file or directory"), (.accessDenied, "Permission denied"),
    (.notPermitted, "Operation not permitted"), (.noSuchProcess, "No such process"),
    (.addressInUse, "Address already in use"), (.tooManyOpenFiles, "Too many open files"),
    (.tooManyOpenFilesInSystem, "Too many open files in system"),
    (.fileTooLarge, "File too large"), (.brokenPipe, "Broken pipe"),
    (.wouldBlock, "Resource temporarily unavailable"), (Errno(0), "Success"),
    (Errno(9999), "Unknown error 9999"), (Errno(-1), "Unknown error -1"),
  ])
  func text(errno: Errno, expected: String) {
    #expect("\(errno)" == expected)
  }

  @Test func comparesByNumber() {
    #expect(Errno(EACCES) == .accessDenied)
    #expect(Errno.accessDenied != .notPermitted)
  }
}
