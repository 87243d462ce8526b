import CLinux
import Glibc

/// Pieces of another process' memory that are read together, in words of 64 bits.
package struct MemoryPieces: Sendable {
  private var addresses: [UInt64] = []
  private var lengths: [UInt64] = []
  /// How many words all of them are.
  package private(set) var wordCount = 0

  package init() {}

  package var count: Int { addresses.count }

  /// Adds a piece behind the others.
  ///
  /// - Parameters:
  ///   - address: Where it begins.
  ///   - words: How long it is.
  /// - Returns: Where its words are among those that ``read(of:into:)`` gives.
  @discardableResult
  package mutating func add(_ address: UInt64, words: Int) -> Int {
    addresses.append(address)
    lengths.append(UInt64(words) * 8)
    defer { wordCount += words }
    return wordCount
  }

  package mutating func removeAll() {
    addresses.removeAll(keepingCapacity: true)
    lengths.removeAll(keepingCapacity: true)
    wordCount = 0
  }

  /// Reads them, in order; those within one call of 1,024 pieces about at once, while the process
  /// runs on.
  ///
  /// A number can come to mean another process: whoever reads must make sure afterwards that it did
  /// not. The corresponding system call is `process_vm_readv(2)`; it takes the process' mmap lock,
  /// so it can wait for the process.
  /// - Parameters:
  ///   - pid: The process, in the reader's own pid namespace.
  ///   - buffer: Becomes as long as the pieces and holds them one behind the other.
  /// - Throws: `EPERM`, `ESRCH`; `EFAULT` if any of it is not there.
  package func read(of pid: Int32, into buffer: inout [UInt64]) throws(Errno) {
    if buffer.count != wordCount { buffer = [UInt64](repeating: 0, count: wordCount) }
    var (piece, byte) = (0, 0)
    while piece < count {
      let last = min(piece + Self.mostPieces, count)
      let length = lengths[piece..<last].reduce(0, +)
      let (first, start) = (piece, byte)
      let result = unsafe addresses.withUnsafeBufferPointer { addresses in
        unsafe lengths.withUnsafeBufferPointer { lengths in
          unsafe buffer.withUnsafeMutableBytes { bytes in
            // Not `attempt`: here EFAULT is about the other process.
            unsafe clinux_read_memory(
              pid, addresses.baseAddress.map { unsafe $0 + first },
              lengths.baseAddress.map { unsafe $0 + first }, last - first,
              bytes.baseAddress.map { unsafe $0 + start })
          }
        }
      }
      if result < 0 { throw Errno(errno) }
      guard result == Int(length) else { throw .badAddress }
      (piece, byte) = (last, byte + result)
    }
  }

  /// Reads them through the file `/proc/PID/mem`, one after another.
  ///
  /// The corresponding system call is `pread(2)`. It costs more than ``read(of:into:)`` and needs more
  /// rights, but no number.
  /// - Parameters:
  ///   - file: The file.
  ///   - buffer: As there.
  /// - Throws: `EFAULT` if any of it is not there, or the process has ended.
  package func read(from file: borrowing OwnedFD, into buffer: inout [UInt64]) throws(Errno) {
    if buffer.count != wordCount { buffer = [UInt64](repeating: 0, count: wordCount) }
    let raw = file.raw
    var byte = 0
    for piece in 0..<count {
      guard let place = Int(exactly: addresses[piece]) else { throw .badAddress }
      let (length, start) = (Int(lengths[piece]), byte)
      let result = unsafe buffer.withUnsafeMutableBytes { bytes in
        unsafe pread(raw, bytes.baseAddress.map { unsafe $0 + start }, length, place)
      }
      guard result == length else { throw .badAddress }
      byte += length
    }
  }

  /// IOV_MAX.
  private static let mostPieces = 1024
}
