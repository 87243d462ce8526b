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
