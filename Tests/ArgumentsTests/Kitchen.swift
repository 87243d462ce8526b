import Arguments

/// A small program with every kind of row.
enum Kitchen {
  static var program: Program {
    Program(
      "kitchen",
      about: "Prepares meals in a quantity and of a quality that guests will remember, always.",
      more: "Without a command it cooks.", version: "kitchen 1", standard: Cook.self,
      others: [Taste.self],
      nearest: { word, known in known.first { $0.utf8.first == word.utf8.first } })
  }
}

enum Heat: String, CaseIterable { case low, high }

struct StoveOptions: Options {
  var heat = Heat.low
  var minutes = 10
  var isGas = false

  static var options: [Option<Self>] {
    [
      Option("stove.heat", .word, into: \.heat, "How hot."),
      Option(
        "stove.time", .number(1...90), into: \.minutes, "How long; it's done [then]: $5 `x` \\"),
      Option(flag: "gas", into: \.isGas, synonym: "g", "Take the stove with a flame."),
    ]
  }
}

struct Cook: Command {
  static let name = "cook"
  static let about = "Cook."

  var recipe: String?
  var spices: [String] = []
  var pantry = "/pantry"
  var isVegan = true
  var stove = StoveOptions()
  var secret = ""

  static var options: [Option<Self>] {
    [
      Option("recipe.file", .file, into: \.recipe, synonym: "recipe.path", "What to cook."),
      Option("spice", .text("name=amount"), into: \.spices, "A spice; repeatable."),
      Option("secret", .text("x"), into: \.secret, isHidden: true, "Nobody knows."),
    ] + StoveOptions.options(at: \.stove, section: "Stove") + [
      Option("pantry", .directory, into: \.pantry, "Where things are."),
      Option("vegan", .boolean, into: \.isVegan, "Whether there is no meat."),
    ]
  }

  func run() {}
}

/// A command with an argument and a flag.
struct Taste: Command {
  static let name = "taste"
  static let about = "Taste one dish."

  var dish = 0
  var again = false

  static var options: [Option<Self>] {
    [
      Option(argument: "dish", .number(1...9), into: \.dish, "The number of the dish."),
      Option(flag: "again", into: \.again, "Taste again and again."),
    ]
  }

  func run() {}
}

/// What a command line comes to: the settings of its command, what it prints, or the error.
func outcome(_ words: [String]) -> String {
  do throws(ArgumentError) {
    switch try Kitchen.program.parse(words) {
    case .print(let text): return text
    case .run(let command as Cook):
      let stove = command.stove
      return [
        "cook", command.recipe ?? "-", command.spices.joined(separator: "+"), command.pantry,
        "\(command.isVegan)", stove.heat.rawValue, "\(stove.minutes)", "\(stove.isGas)",
        command.secret,
      ].joined(separator: " ")
    case .run(let command as Taste): return "taste \(command.dish) \(command.again)"
    case .run(let command): return "\(command)"
    }
  } catch {
    return "error: \(error)"
  }
}
