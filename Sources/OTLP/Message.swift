/// The fields of a message of Protocol Buffers, of each number the last one.
///
/// - Source: "Encoding" of the Protocol Buffers documentation.
struct Message {
  private var numbers: [UInt64: UInt64] = [:]
  private var texts: [UInt64: ArraySlice<UInt8>] = [:]
  /// Whether it could be read to its end.
  private(set) var isWhole = true

  /// Takes a message apart, which may be anything.
  init(_ bytes: some Collection<UInt8>) {
    var rest = ArraySlice(Array(bytes))
    while isWhole, !rest.isEmpty { isWhole = take(&rest) }
  }

  func number(_ field: UInt64) -> UInt64? { numbers[field] }
  func bytes(_ field: UInt64) -> ArraySlice<UInt8>? { texts[field] }

  private mutating func take(_ rest: inout ArraySlice<UInt8>) -> Bool {
    guard let tag = Self.varint(&rest), tag >> 3 > 0 else { return false }
    var skipped: UInt64 = 0
    switch tag & 7 {
    case 0:
      guard let number = Self.varint(&rest) else { return false }
      numbers[tag >> 3] = number
    case 1: skipped = 8
    case 5: skipped = 4
    case 2:
      guard let count = Self.varint(&rest), count <= UInt64(rest.count) else { return false }
      texts[tag >> 3] = rest.prefix(Int(count))
      skipped = count
    default: return false
    }
    guard skipped <= UInt64(rest.count) else { return false }
    rest = rest.dropFirst(Int(skipped))
    return true
  }

  private static func varint(_ rest: inout ArraySlice<UInt8>) -> UInt64? {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 70, by: 7) {
      guard let byte = rest.popFirst() else { return nil }
      value |= UInt64(byte & 0x7f) << shift
      if byte < 0x80 { return value }
    }
    return nil
  }
}
