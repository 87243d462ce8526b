/// What is wrong with a command line.
package enum ArgumentError: Error, Equatable, CustomStringConvertible {
  case unknownOption(String, command: String, near: String?)
  case missingValue(option: String, expected: String)
  case needlessValue(option: String, value: String)
  /// The option is nil for an argument, which has no name.
  case invalidValue(option: String?, value: String, expected: String)
  case unexpectedArgument(String, near: String?)
  case missingArgument(String, command: String)

  package var description: String {
    switch self {
    case .unknownOption(let option, let command, let near):
      "\(option): \(command) has no such option" + Self.hint(near)
    case .missingValue(let option, let expected):
      "\(option): there is no value; expected \(expected)"
    case .needlessValue(let option, let value):
      "\(option)=\(value): expected \(option) without a value"
    case .invalidValue(let option, let value, let expected):
      "\(option.map { $0 + "=" } ?? "")\(value): expected \(expected)"
    case .unexpectedArgument(let word, let near):
      "unexpected argument \"\(word)\"" + Self.hint(near)
    case .missingArgument(let argument, let command):
      "\(argument) is missing; expected \(command) \(argument)"
    }
  }

  private static func hint(_ near: String?) -> String {
    near.map { " (did you mean \($0)?)" } ?? ""
  }
}
