import Glibc

extension Span where Element == UInt8 {
  /// The offset of the first occurrence of a byte at or after `start`.
  ///
  /// The corresponding C function is `memchr(3)`, which is several times faster than a loop here.
  /// - Parameters:
  ///   - byte: The byte to look for.
  ///   - start: Where to begin; at most `count`.
  /// - Returns: The offset in this span, or nil.
  package func firstIndex(of byte: UInt8, from start: Int = 0) -> Int? {
    let rest = extracting(start...)
    if rest.isEmpty { return nil }
    return unsafe rest.withUnsafeBytes { bytes -> Int? in
      guard let base = bytes.baseAddress,
        let found = unsafe memchr(base, Int32(byte), bytes.count)
      else { return nil }
      return unsafe start + (UnsafeRawPointer(found) - base)
    }
  }

  /// The offset of the last occurrence of a byte.
  package func lastIndex(of byte: UInt8) -> Int? {
    var index = count
    while index > 0 {
      index -= 1
      if self[index] == byte { return index }
    }
    return nil
  }

  /// Whether the bytes from `start` on begin with the given text.
  package func hasPrefix(_ text: StaticString, at start: Int = 0) -> Bool {
    let length = text.utf8CodeUnitCount
    if start + length > count { return false }
    return unsafe extracting(start..<(start + length)).withUnsafeBytes { bytes in
      guard let base = bytes.baseAddress else { return true }
      return unsafe memcmp(base, text.utf8Start, length) == 0
    }
  }

  /// The bytes as text, with invalid UTF-8 replaced by U+FFFD.
  package var lossyText: String {
    unsafe withUnsafeBufferPointer { unsafe String(decoding: $0, as: UTF8.self) }
  }
}

extension String.UTF8View {
  /// The beginning of a text, without a part of a character at its end.
  ///
  /// - Parameter limit: How many bytes it has at most.
  /// - Returns: All of it if it is no longer.
  package func beginning(atMost limit: Int) -> Substring.UTF8View {
    guard count > limit else { return self[...] }
    var end = index(startIndex, offsetBy: Swift.max(0, limit))
    while end > startIndex, self[end] & 0xc0 == 0x80 { end = index(before: end) }
    return self[..<end]
  }
}

extension UInt8 {
  /// Whether it is an ASCII letter or digit.
  package var isAlphanumeric: Bool { self &- 48 < 10 || (self | 0x20) &- 97 < 26 }

  /// Whether it stands for itself anywhere in a URL (RFC 3986, section 2.3).
  package var isUnreserved: Bool { isAlphanumeric || "-._~".utf8.contains(self) }
}

extension String {
  /// The text as it can stand in any part of a URL (RFC 3986, section 2).
  package var percentEncoded: String {
    utf8.reduce(into: "") { result, byte in
      if byte.isUnreserved {
        result.unicodeScalars.append(Unicode.Scalar(byte))
      } else {
        result += (byte < 16 ? "%0" : "%") + String(byte, radix: 16, uppercase: true)
      }
    }
  }

  /// The text, or its beginning with "…" behind it, in at most so many bytes.
  package func cut(toBytes limit: Int) -> String {
    utf8.count <= limit ? self : String(Substring(utf8.beginning(atMost: limit - 3))) + "…"
  }
}
