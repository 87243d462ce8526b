import CDeflate

/// Compresses pages, one after another, in the same memory.
///
/// - Source: RFC 1952; `libdeflate.h`.
@safe package struct Compressor: ~Copyable {
  /// The fastest level: it takes a third of the time of level 6 for a few percent more bytes.
  private static let level: Int32 = 1

  // Nothing else has the pointer.
  private let state: OpaquePointer
  private var output: [UInt8] = []

  /// A compressor; nil if there is no memory for it (about 100 KiB).
  package init?() {
    guard let state = unsafe libdeflate_alloc_compressor(Self.level) else { return nil }
    unsafe self.state = state
  }

  deinit { unsafe libdeflate_free_compressor(state) }

  /// Compresses bytes.
  ///
  /// - Parameter bytes: What to compress.
  /// - Returns: One gzip member without name and time, in the memory of the last one unless somebody
  ///   still has that. Equal bytes give equal members.
  package mutating func gzip(_ bytes: [UInt8]) -> [UInt8] {
    let bound = unsafe libdeflate_gzip_compress_bound(state, bytes.count)
    output.removeAll(keepingCapacity: true)
    let state = unsafe state
    output.append(addingCapacity: bound) { free in
      // SAFETY: both buffers are used during the call only; it writes at most `bound` bytes and says
      // how many, which is 0 only if they do not fit.
      unsafe free.withUnsafeMutableBufferPointer { free, count in
        unsafe bytes.withUnsafeBufferPointer {
          count = unsafe libdeflate_gzip_compress(
            state, $0.baseAddress, $0.count, free.baseAddress, free.count)
        }
      }
    }
    return output
  }
}
