// The wire format of Protocol Buffers, as far as `io.prometheus.client.MetricFamily` and OTLP need it.
//
// Source: "Encoding" of the Protocol Buffers documentation; `metrics.proto` of
// prometheus/client_model.

/// How many bytes a number takes as a varint.
func varintSize(_ value: UInt64) -> Int { (70 - (value | 1).leadingZeroBitCount) / 7 }

/// Appends a number in groups of 7 bits, the lowest first.
func appendVarint(_ value: UInt64, _ bytes: inout [UInt8]) {
  var rest = value
  while rest >= 0x80 {
    bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
    rest >>= 7
  }
  bytes.append(UInt8(truncatingIfNeeded: rest))
}

/// Appends the number of a field, below 16, and the size of the bytes that follow.
func appendTag(_ field: UInt8, ofBytes count: Int, _ bytes: inout [UInt8]) {
  bytes.append(field << 3 | 2)
  appendVarint(UInt64(count), &bytes)
}

/// Appends a field with a number of type `uint64`.
func appendField(_ field: UInt8, _ number: UInt64, _ bytes: inout [UInt8]) {
  bytes.append(field << 3)
  appendVarint(number, &bytes)
}

/// Appends a field with a text.
func appendField(_ field: UInt8, _ text: String, _ bytes: inout [UInt8]) {
  appendTag(field, ofBytes: text.utf8.count, &bytes)
  bytes.append(contentsOf: text.utf8)
}

/// How many bytes a field with a text takes.
func fieldSize(_ text: String) -> Int {
  1 + varintSize(UInt64(text.utf8.count)) + text.utf8.count
}

/// Appends a field with a number of type `double`.
func appendField(_ field: UInt8, _ number: Double, _ bytes: inout [UInt8]) {
  appendFixed(field, number.bitPattern, &bytes)
}

/// Appends a field with a number of type `fixed64` or `sfixed64`.
func appendFixed(_ field: UInt8, _ number: UInt64, _ bytes: inout [UInt8]) {
  bytes.append(field << 3 | 1)
  appendBytes(number, &bytes)
}

/// Appends a number in eight bytes, the lowest first.
func appendBytes(_ number: UInt64, _ bytes: inout [UInt8]) {
  for shift in stride(from: UInt64(0), to: 64, by: 8) {
    bytes.append(UInt8(truncatingIfNeeded: number >> shift))
  }
}

/// A `google.protobuf.Timestamp`.
struct ProtobufTimestamp {
  private let seconds: UInt64
  private let nanoseconds: UInt64

  /// The time in milliseconds since 1970, which is what Prometheus keeps of it; nil for another
  /// era.
  init?(_ seconds: Double) {
    guard seconds >= 0, seconds < 1e12 else { return nil }
    let milliseconds = UInt64((seconds * 1000).rounded())
    self.seconds = milliseconds / 1000
    nanoseconds = milliseconds % 1000 * 1_000_000
  }

  private var contentSize: Int { 2 + varintSize(seconds) + varintSize(nanoseconds) }

  /// How many bytes it takes as a field.
  var size: Int { 2 + contentSize }

  func append(as field: UInt8, to bytes: inout [UInt8]) {
    appendTag(field, ofBytes: contentSize, &bytes)
    appendField(1, seconds, &bytes)
    appendField(2, nanoseconds, &bytes)
  }
}
