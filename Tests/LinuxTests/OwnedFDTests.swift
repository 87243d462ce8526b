import Glibc
import Testing

@testable import Linux

@Suite struct OwnedFDTests {
  private struct Holder: ~Copyable { var fd: OwnedFD? }

  @Test func closesWhenItsOwnerGoes() throws {
    let output: OwnedFD
    do {
      let pipe = try Pipe()
      output = try pipe.output.duplicate()
      var byte: UInt8 = 0
      #expect(read(output.raw, &byte, 1) == -1 && errno == EAGAIN)
    }
    var byte: UInt8 = 0
    #expect(read(output.raw, &byte, 1) == 0)
  }

  /// In a child, where no other test uses the number.
  @Test func closesOnlyOnce() async {
    await #expect(processExitsWith: .success) {
      let number: Int32 = 200
      do {
        #expect(fcntl(0, F_DUPFD_CLOEXEC, number) == number)
        var holder = Holder(fd: OwnedFD(adopting: number))
        var other = Holder(fd: holder.fd.take())
        holder.fd = nil
        #expect(fcntl(number, F_GETFD) >= 0)
        other.fd = nil
        #expect(fcntl(number, F_GETFD) == -1 && errno == EBADF)
        // The number belongs to somebody else now.
        #expect(fcntl(0, F_DUPFD_CLOEXEC, number) == number)
      }
      #expect(fcntl(number, F_GETFD) >= 0)
    }
  }

  @Test func duplicateOutlivesTheOriginal() throws {
    let pipe = try Pipe()
    let copy: OwnedFD
    do {
      let original = try pipe.input.duplicate()
      copy = try original.duplicate()
      #expect(copy.raw != original.raw)
    }
    #expect(write(copy.raw, "x", 1) == 1)
  }

  @Test func negativeNumberTraps() async {
    await #expect(processExitsWith: .failure) { _ = OwnedFD(adopting: -1) }
  }
}
