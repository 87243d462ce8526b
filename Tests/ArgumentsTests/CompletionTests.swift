import TestSupport
import Testing

@testable import Arguments

@Suite struct CompletionTests {
  private static func script(_ shell: String) -> [UInt8] {
    Array(outcome(["--generate-completion-script", shell]).utf8)
  }

  /// What bash offers for the last word.
  @Test(arguments: [
    ("''", "cook taste help"), ("t", "taste"), ("h", "help"), ("help ''", "cook taste"),
    ("help t", "taste"),
    (
      "-",
      "--recipe.file --recipe.path --spice --stove.heat --stove.time --gas -g --pantry --vegan --version -h --help"
    ),
    ("--stove.", "--stove.heat --stove.time"), ("--stove.heat ''", "low high"),
    ("--stove.heat h", "high"), ("--stove.heat =", "low high"), ("--stove.heat = l", "low"),
    ("--vegan = ''", "true false"), ("--stove.time ''", ""), ("--spice = a", ""),
    ("--stove.heat low --pa", "--pantry"), ("taste --a", "--again"), ("taste --stove", ""),
    ("taste 1 --", "--again --version --help"), ("cook --gas --he", "--help"),
    ("--pantry /et", "/etc"), ("--pantry = /etc/pass", ""),
    ("--recipe.path = /etc/pass", "/etc/passwd"),
    ("cook --recipe.file /etc/passw", "/etc/passwd"),
  ])
  func bash(words: String, expected: String) throws {
    let program = """
      source /dev/stdin; COMP_WORDS=(kitchen \(words)); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); \
      _kitchen; printf "%s\\n" "${COMPREPLY[@]}" | grep -v '^/etc/passwd-$' | paste -sd ' '
      """
    let result = try run("bash -c '\(program.quotedForShell)' 2>&1", input: Self.script("bash"))
    #expect(result.output == expected + "\n")
  }

  @Test func bashKnowsTheProgram() throws {
    let result = try run(
      "bash -c 'source /dev/stdin; complete -p kitchen' 2>&1", input: Self.script("bash"))
    #expect(result.output == "complete -F _kitchen kitchen\n")
  }

  /// What zsh's own functions are told, each word in a line.
  @Test(
    .enabled(if: program("zsh") != nil, "zsh is not installed"),
    arguments: [
      ("''", "_describe command commands\ncook:Cook.\ntaste:Taste one dish.\n"),
      ("help ''", "_describe command commands\ncook:Cook.\ntaste:Taste one dish.\n"),
      (
        "taste --a",
        "_arguments --again[Taste again and again.] --version[Show the version.] -h[Show help information.] --help[Show help information.]\ncook:Cook.\ntaste:Taste one dish.\n"
      ),
      (
        "--a",
        "_arguments --recipe.file=[What to cook.]:file:_files --recipe.path=[What to cook.]:file:_files *--spice=[A spice; repeatable.]:name=amount:  --stove.heat=[How hot.]:heat:(low high) --stove.time=[How long; it's done \\[then\\]: $5 `x` \\\\]:n:  --gas[Take the stove with a flame.] -g[Take the stove with a flame.] --pantry=[Where things are.]:directory:_files -/ --vegan=[Whether there is no meat.]:vegan:(true false) --version[Show the version.] -h[Show help information.] --help[Show help information.]\ncook:Cook.\ntaste:Taste one dish.\n"
      ),
    ])
  func zsh(words: String, expected: String) throws {
    let program = """
      _describe() { print -r -- _describe $@; print -rl -- $commands }; \
      _arguments() { print -r -- _arguments $@; print -rl -- $commands }; \
      words=(kitchen \(words)); CURRENT=$#words; source /dev/stdin
      """
    let result = try run("zsh -fc '\(program.quotedForShell)' 2>&1", input: Self.script("zsh"))
    #expect(result.output == expected)
  }

  /// What fish offers for the last word.
  @Test(
    .enabled(if: program("fish") != nil, "fish is not installed"),
    arguments: [
      ("t", "taste"), ("help ", "cook taste"), ("--stove.heat ", "high low"),
      ("--stove.heat=h", "--stove.heat=high"), ("--stove.t", "--stove.time"),
      ("taste --a", "--again"), ("taste --stove", ""), ("--pantry /et", "/etc/"),
      ("cook --recipe.file /etc/passw", "/etc/passwd"),
    ])
  func fish(words: String, expected: String) throws {
    let result = try run(
      "fish --no-config -c 'source -; complete -C \"kitchen \(words)\"' 2>&1",
      input: Self.script("fish"))
    let offers = result.output.split(separator: "\n")
      .map { String($0.prefix { $0 != "\t" }) }.filter { $0 != "/etc/passwd-" }
    #expect(offers.joined(separator: " ") == expected)
  }
}

extension String {
  /// For a place in single quotes.
  fileprivate var quotedForShell: String {
    split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''")
  }
}
