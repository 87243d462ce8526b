/// A generator that repeats itself for the same seed (SplitMix64).
package struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  package init(seed: UInt64) { state = seed }

  package mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// Bytes of any value.
  package mutating func bytes(_ count: Int) -> [UInt8] {
    (0..<count).map { _ in UInt8.random(in: 0...255, using: &self) }
  }

  /// The bytes with a few of them flipped, removed, inserted, repeated or turned into digits.
  package mutating func mutated(_ bytes: [UInt8]) -> [UInt8] {
    var text = bytes
    for _ in 0..<Int.random(in: 1...8, using: &self) {
      let index = Int.random(in: 0...text.count, using: &self)
      switch Int.random(in: 0...4, using: &self) {
      case 0 where index < text.count: text[index] ^= 1 << UInt8.random(in: 0...7, using: &self)
      case 1 where index < text.count: text.remove(at: index)
      case 2: text.insert(UInt8.random(in: 0...255, using: &self), at: index)
      case 3: text.insert(contentsOf: "99999999999999999999".utf8, at: index)
      default:
        let end = min(text.count, index + Int.random(in: 0...40, using: &self))
        text.insert(
          contentsOf: Array(text[index..<end]), at: Int.random(in: 0...text.count, using: &self))
      }
    }
    return text
  }
}
