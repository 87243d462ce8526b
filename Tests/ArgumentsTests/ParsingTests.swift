import Arguments
import TestSupport
import Testing

@Suite struct ParsingTests {
  private static let unchanged = "cook -  /pantry true low 10 false "
  private static let version = "kitchen 1\n"

  @Test(arguments: [
    ([], unchanged), (["cook"], unchanged), (["cook", "--"], unchanged), (["--"], unchanged),
    (["--recipe.file=a"], "cook a  /pantry true low 10 false "),
    (["--recipe.file", "a"], "cook a  /pantry true low 10 false "),
    (["--recipe.path=a", "--recipe.file=b"], "cook b  /pantry true low 10 false "),
    (["--recipe.file=b", "--recipe.path", "a"], "cook a  /pantry true low 10 false "),
    (["--recipe.file="], "cook   /pantry true low 10 false "),
    (["--recipe.file=--x=y"], "cook --x=y  /pantry true low 10 false "),
    (["--recipe.file", "-"], "cook -  /pantry true low 10 false "),
    (["--recipe.file", ""], "cook   /pantry true low 10 false "),
    (["--recipe.file", "cook"], "cook cook  /pantry true low 10 false "),
    // What looks like one character with the sign is two here.
    (["--recipe.file=\u{301}a"], "cook \u{301}a  /pantry true low 10 false "),
    (["--spice", "a=1", "--spice=b=2"], "cook - a=1+b=2 /pantry true low 10 false "),
    (["--vegan=false", "--stove.heat=high"], "cook -  /pantry false high 10 false "),
    (["--stove.time=3", "--stove.time=90"], "cook -  /pantry true low 90 false "),
    (["--gas"], "cook -  /pantry true low 10 true "),
    (["-g", "--pantry", "/"], "cook -  / true low 10 true "),
    (["--secret=x"], "cook -  /pantry true low 10 false x"),
    (["taste", "3"], "taste 3 false"), (["taste", "--again", "3"], "taste 3 true"),
    (["taste", "3", "--again"], "taste 3 true"), (["taste", "--again", "--", "3"], "taste 3 true"),
  ])
  func values(words: [String], expected: String) {
    #expect(outcome(words) == expected)
  }

  @Test(arguments: [
    (
      ["--recipe.fil=x"],
      "--recipe.fil: kitchen cook has no such option (did you mean --recipe.file?)"
    ),
    (["cook", "--xyz"], "--xyz: kitchen cook has no such option"),
    (["-x"], "-x: kitchen cook has no such option"),
    (["-gg"], "-gg: kitchen cook has no such option (did you mean --gas?)"),
    (["--="], "--: kitchen cook has no such option"),
    (["---gas"], "---gas: kitchen cook has no such option (did you mean --gas?)"),
    (["--gas\u{301}"], "--gas\u{301}: kitchen cook has no such option (did you mean --gas?)"),
    // Hidden ones are no secret that messages should tell.
    (["--secrets"], "--secrets: kitchen cook has no such option (did you mean --spice?)"),
    (["taste", "1", "--stove.heat=low"], "--stove.heat: kitchen taste has no such option"),
    (["--recipe.file"], "--recipe.file: there is no value; expected <file>"),
    (["--recipe.file", "--gas"], "--recipe.file: there is no value; expected <file>"),
    (["--stove.time", "-5"], "--stove.time: there is no value; expected a number from 1 to 90"),
    (["--stove.heat", "--", "low"], "--stove.heat: there is no value; expected one of low, high"),
    (["--gas=yes"], "--gas=yes: expected --gas without a value"),
    (["-g="], "-g=: expected -g without a value"),
    (["--stove.time=0"], "--stove.time=0: expected a number from 1 to 90"),
    (["--stove.time=91"], "--stove.time=91: expected a number from 1 to 90"),
    (["--stove.time="], "--stove.time=: expected a number from 1 to 90"),
    (
      ["--stove.time=-99999999999999999999"],
      "--stove.time=-99999999999999999999: expected a number from 1 to 90"
    ),
    (["--stove.time=x", "--stove.time=5"], "--stove.time=x: expected a number from 1 to 90"),
    (["--stove.heat=Low"], "--stove.heat=Low: expected one of low, high"),
    (["--vegan=1"], "--vegan=1: expected true or false"),
    (["coo"], "unexpected argument \"coo\" (did you mean cook?)"),
    (["xy"], "unexpected argument \"xy\""), ([""], "unexpected argument \"\""),
    (["-"], "unexpected argument \"-\""), (["cook", "cook"], "unexpected argument \"cook\""),
    (["cook", "a", "b"], "unexpected argument \"a\""),
    (["--", "taste"], "unexpected argument \"taste\""),
    (["--", "--gas"], "unexpected argument \"--gas\""),
    (["help", "tast"], "unexpected argument \"tast\" (did you mean taste?)"),
    (["help", "--version"], "unexpected argument \"--version\""),
    (["taste"], "<dish> is missing; expected kitchen taste <dish>"),
    (["taste", "--again"], "<dish> is missing; expected kitchen taste <dish>"),
    (["taste", "x"], "x: expected a number from 1 to 9"),
    (["taste", "1", "2"], "unexpected argument \"2\""),
    (
      ["--generate-completion-script"],
      "--generate-completion-script: there is no value; expected one of bash, zsh, fish"
    ),
    (
      ["--generate-completion-script=ksh"],
      "--generate-completion-script=ksh: expected one of bash, zsh, fish"
    ),
    // The first error counts.
    (["--xyz", "a"], "--xyz: kitchen cook has no such option"),
  ])
  func errors(words: [String], expected: String) {
    #expect(outcome(words) == "error: " + expected)
  }

  /// A command is the first word or none: what stands before it belongs to the standard one.
  @Test(arguments: [["--gas", "taste", "3"], ["--vegan=false", "taste"], ["--", "taste", "3"]])
  func optionsBeforeACommand(words: [String]) {
    #expect(outcome(words) == "error: unexpected argument \"taste\"")
  }

  @Test(arguments: [
    ["--version"], ["cook", "--version"], ["taste", "--version"], ["--xyz", "--version"],
    ["--version", "--help"], ["--version", "taste"], ["--stove.time=x", "--version"],
  ])
  func versionComesBeforeErrors(words: [String]) {
    #expect(outcome(words) == Self.version)
  }

  @Test func nothingIsAskedForByValues() {
    #expect(outcome(["--recipe.file=--version"]).hasPrefix("cook --version "))
    #expect(outcome(["--", "--version"]) == "error: unexpected argument \"--version\"")
    #expect(outcome(["--", "-h"]) == "error: unexpected argument \"-h\"")
  }

  /// Whatever comes, it is settings, a text or an error.
  @Test func anyWords() {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SeededGenerator(seed: seed)
    let pieces = [
      "", "-", "--", "=", "--recipe.file", "--spice", "--gas", "-g", "-h", "--stove.time", "cook",
      "taste",
      "help", "9", "\0", "\u{301}", "\r\n", "🍳", "--version", "--generate-completion-script", "zsh",
      "--stove.heat", "low", "--dump-options", "99999999999999999999999", "\u{FFFD}",
    ]
    for _ in 0..<5000 {
      let words = (0..<Int.random(in: 0...5, using: &random)).map { _ in
        (0..<Int.random(in: 0...3, using: &random)).map { _ in
          Int.random(in: 0...5, using: &random) == 0
            ? String(decoding: random.bytes(3), as: UTF8.self)
            : pieces[Int.random(in: 0..<pieces.count, using: &random)]
        }.joined()
      }
      let result = outcome(words)
      #expect(!result.isEmpty, "\(words), seed \(seed)")
      // What was given is what an option gets, byte for byte.
      let value = words.joined(separator: "=")
      guard case .run(let command as Cook)? = try? Kitchen.program.parse(["--secret=\(value)"])
      else {
        Issue.record("\(words) is no value, seed \(seed)")
        return
      }
      #expect(Array(command.secret.utf8) == Array(value.utf8), "seed \(seed)")
    }
  }
}
