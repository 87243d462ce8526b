import TestSupport
import Testing

@testable import Arguments

@Suite struct HelpTests {
  private static let program = """
    OVERVIEW: Prepares meals in a quantity and of a quality that guests will
    remember, always.

    Without a command it cooks.

    USAGE: kitchen [<command>] [<options>]

    OPTIONS:
      --version               Show the version.
      -h, --help              Show help information.

    COMMANDS:
      cook (default)          Cook.
      taste                   Taste one dish.

      See 'kitchen help <command>' for its options.

    """

  private static let cook = """
    OVERVIEW: Cook.

    USAGE: kitchen [cook] [<options>]

    STOVE:
      --stove.heat <heat>     How hot. (values: low, high; default: low)
      --stove.time <n>        How long; it's done [then]: $5 `x` \\ (default: 10)
      --gas, -g               Take the stove with a flame.

    OPTIONS:
      --recipe.file, --recipe.path <file>
                              What to cook.
      --spice <name=amount>   A spice; repeatable.
      --pantry <directory>    Where things are. (default: /pantry)
      --vegan <vegan>         Whether there is no meat. (default: true)
      --version               Show the version.
      -h, --help              Show help information.

    """

  private static let taste = """
    OVERVIEW: Taste one dish.

    USAGE: kitchen taste [<options>] <dish>

    ARGUMENTS:
      <dish>                  The number of the dish.

    OPTIONS:
      --again                 Taste again and again.
      --version               Show the version.
      -h, --help              Show help information.

    """

  @Test(arguments: [
    (["-h"], program), (["--help"], program), (["help"], program), (["help", "-h"], program),
    (["help", "--help"], program),
    (["help", "cook"], cook), (["cook", "-h"], cook), (["--gas", "-h"], cook), (["-h", "x"], cook),
    (["cook", "--xyz", "--stove.time=x", "--help"], cook),
    (["help", "taste"], taste), (["taste", "-h"], taste), (["taste", "x", "-h"], taste),
  ])
  func text(words: [String], expected: String) {
    #expect(outcome(words) == expected)
  }

  @Test func linesAreNotLongerThanATerminal() {
    for words in [["help"], ["help", "cook"], ["help", "taste"]] {
      for line in outcome(words).split(separator: "\n") { #expect(line.count <= 80) }
    }
  }

  @Test func table() {
    let lines = outcome(["--dump-options"]).split(
      separator: "\n", omittingEmptySubsequences: false)
    #expect(lines.first?.hasPrefix("program\tkitchen\tPrepares meals in a ") == true)
    #expect(
      lines.dropFirst() == [
        "command\tcook\tCook.",
        "option\t--recipe.file --recipe.path\tfile\tWhat to cook.\t\t",
        "option\t--spice\tname=amount\tA spice; repeatable.\t\t",
        "option\t--stove.heat\theat\tHow hot.\tlow high\tlow",
        "option\t--stove.time\tn\tHow long; it's done [then]: $5 `x` \\\t\t10",
        "option\t--gas -g\t\tTake the stove with a flame.\t\t",
        "option\t--pantry\tdirectory\tWhere things are.\t\t/pantry",
        "option\t--vegan\tvegan\tWhether there is no meat.\ttrue false\ttrue",
        "command\ttaste\tTaste one dish.", "argument\tdish\tThe number of the dish.",
        "option\t--again\t\tTaste again and again.\t\t", "",
      ])
  }
}
