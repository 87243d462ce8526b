import Config

/// What is wrong with a text, as `LINE:COLUMN: message`.
func problems(_ text: String) -> [String] { problems(Array(text.utf8)) }

func problems(_ text: [UInt8]) -> [String] {
  do throws(ConfigError) {
    _ = try Configuration.parse(text: text, file: "f")
    return []
  } catch {
    // Without "f:" or "f: ".
    return error.problems.map { String($0.description.dropFirst(2).drop { $0 == " " }) }
  }
}

func parse(_ text: String) throws(ConfigError) -> Configuration {
  try Configuration.parse(text: Array(text.utf8), file: "f")
}

/// A generator that repeats itself for the same seed (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
