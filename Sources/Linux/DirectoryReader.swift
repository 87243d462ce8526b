import CLinux
import Glibc

/// Lists a directory; the numeric names that /proc, `task` and `fd` have without allocating per
/// entry.
package struct DirectoryReader: ~Copyable {
  private var storage = [UInt8](repeating: 0, count: 32 << 10)

  package init() {}

  /// Calls `body` with each entry whose name is a decimal number that fits 32 bits.
  ///
  /// The corresponding system call is `getdents64(2)`, with `lseek(2)` to the start.
  /// - Parameters:
  ///   - directory: A directory opened for reading.
  ///   - body: Called once an entry; returns false to stop.
  /// - Throws: `ENOENT` or `ESRCH` when the process ended meanwhile.
  package mutating func numbers(
    in directory: borrowing OwnedFD, _ body: (Int32) -> Bool
  ) throws(Errno) {
    try entries(in: directory) { bytes, start in
      guard let number = decimal(bytes, from: start) else { return true }
      return body(number)
    }
  }

  /// Lists the names in a directory, without `.` and `..`, in no order.
  ///
  /// The corresponding system call is `getdents64(2)`, with `lseek(2)` to the start.
  /// - Parameters:
  ///   - directory: A directory opened for reading.
  ///   - limit: The most names that are wanted.
  /// - Returns: The names; they may hold any byte but `/` and NUL.
  /// - Throws: What the file system reports.
  package mutating func names(
    in directory: borrowing OwnedFD, limit: Int
  ) throws(Errno) -> [[UInt8]] {
    var names: [[UInt8]] = []
    try entries(in: directory) { bytes, start in
      var name: [UInt8] = []
      var index = start
      while index < bytes.count, bytes[index] != 0 {
        name.append(bytes[index])
        index += 1
      }
      if name != [UInt8(ascii: ".")], name != Array("..".utf8) { names.append(name) }
      return names.count < limit
    }
    return names
  }

  /// Calls `body` with the place where each entry's name begins; it returns false to stop.
  private mutating func entries(
    in directory: borrowing OwnedFD, _ body: (Span<UInt8>, Int) -> Bool
  ) throws(Errno) {
    let raw = directory.raw
    _ = try attempt(.list) { lseek(raw, 0, SEEK_SET) }
    while true {
      let got = try attempt(.list) {
        unsafe storage.withUnsafeMutableBytes { bytes in
          unsafe clinux_getdents64(raw, bytes.baseAddress, bytes.count)
        }
      }
      if got == 0 { return }
      let bytes = storage.span.extracting(0..<got)
      var start = 0
      // struct linux_dirent64: ino 8, off 8, reclen 2, type 1, name.
      while start + 19 < got {
        let length = Int(bytes[start + 16]) | Int(bytes[start + 17]) << 8
        precondition(length > 19 && start + length <= got, "getdents64 record out of bounds")
        if !body(bytes, start + 19) { return }
        start += length
      }
    }
  }
}

/// The number a NUL-terminated name spells, if it is all digits.
private func decimal(_ bytes: Span<UInt8>, from start: Int) -> Int32? {
  var value: Int32 = 0
  var index = start
  while index < bytes.count, bytes[index] != 0 {
    let digit = bytes[index] &- UInt8(ascii: "0")
    guard digit < 10 else { return nil }
    let (product, tooLarge) = value.multipliedReportingOverflow(by: 10)
    let (sum, tooLargeToo) = product.addingReportingOverflow(Int32(digit))
    if tooLarge || tooLargeToo { return nil }
    value = sum
    index += 1
  }
  return index > start ? value : nil
}
