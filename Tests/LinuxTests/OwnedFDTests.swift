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

  /// In a child, where no other thread opens files: the kernel gives out the lowest free number.
  @Test func closesOnlyOnce() async {
    await #expect(processExitsWith: .success) {
      var number: Int32 = -1
      do {
        let file = try openFile("/dev/null", .read)
        number = file.raw
        var holder = Holder(fd: consume file)
        var other = Holder(fd: holder.fd.take())
        holder.fd = nil
        #expect(fcntl(number, F_GETFD) >= 0)
        other.fd = nil
      }
      #expect(fcntl(number, F_GETFD) == -1 && errno == EBADF)
      #expect(open("/dev/zero", O_RDONLY) == number)
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
