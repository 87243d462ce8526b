import Config
import Foundation
import Linux
import Testing

/// The configuration file and the files of `conf.d` beside it.
@Suite final class DirectoryTests {
  private let path: String
  private var main: String { path + "/c.yaml" }
  private var directory: String { path + "/conf.d" }

  init() throws {
    path = FileManager.default.temporaryDirectory.path + "/config-" + UUID().uuidString
    try FileManager.default.createDirectory(
      atPath: directory, withIntermediateDirectories: true)
  }
  deinit { try? FileManager.default.removeItem(atPath: path) }

  private func write(_ name: String, _ text: String) throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: path + "/" + name))
  }

  private func names(isRequired: Bool = true) throws -> [String] {
    try Configuration.load(path: main, isRequired: isRequired).collector.targets
      .map(\.rule.name.description)
  }

  private func problems(isRequired: Bool = true) -> [String] {
    do throws(ConfigError) {
      _ = try Configuration.load(path: main, isRequired: isRequired)
      return []
    } catch {
      return error.problems.map { $0.description.replacingOccurrences(of: path, with: "D") }
    }
  }

  @Test func filesAddUpInTheOrderOfTheirNames() throws {
    try write("c.yaml", "{targets: [{name: main, pid: 1}], limits: {targets: 9}}")
    for name in ["10-b.yaml", "2-a.yml", "Z.yaml", "a.yaml", "é.yaml", "a b.yaml"] {
      try write("conf.d/" + name, "targets: [{name: '\(name)', pid: 1}]")
    }
    let expected = ["10-b.yaml", "2-a.yml", "Z.yaml", "a b.yaml", "a.yaml", "é.yaml"]
    #expect(try names() == ["main"] + expected)
    #expect(
      try Configuration.load(path: main).files == [main] + expected.map { directory + "/" + $0 })
  }

  @Test func otherNamesAreLeftOut() throws {
    try write("c.yaml", "")
    for name in [
      ".hidden.yaml", ".#a.yaml", "a.yaml~", "#a.yaml#", "a.yaml.dpkg-old", "a.yaml.rpmsave",
      "a.json",
      "yaml", "aYAML", ".yaml", ".a.yaml.swp",
    ] { try write("conf.d/" + name, "]") }
    try FileManager.default.createDirectory(
      atPath: directory + "/a.yaml", withIntermediateDirectories: false)
    #expect(try Configuration.load(path: main).files == [main])
  }

  @Test func theDirectoryAloneIsEnoughOnlyForTheDefault() throws {
    try write("conf.d/a.yaml", "targets: [{name: a, pid: 1}]")
    #expect(try names(isRequired: false) == ["a"])
    let missing =
      "D/c.yaml: the file does not exist; create it, or name another one with --config.file"
    #expect(problems() == [missing])
    try FileManager.default.removeItem(atPath: directory)
    #expect(problems(isRequired: false) == [missing])
  }

  @Test func settingsStandInOneFileOnly() throws {
    try write("c.yaml", "limits:\n  targets: 5\ndefaults: {collect: [io]}")
    try write("conf.d/a.yaml", "limits: {targets: 5}")
    try write("conf.d/b.yaml", "limits: {series_per_target: 9}\ndefaults: {collect: [io]}")
    #expect(
      problems() == [
        "D/conf.d/a.yaml:1:10: \"targets\" is given twice, first in D/c.yaml:2:3; keep one of them",
        "D/conf.d/b.yaml:2:12: \"collect\" is given twice, first in D/c.yaml:3:12; keep one of them",
      ])
  }

  @Test func namesAreUniqueOverAllFiles() throws {
    try write("c.yaml", "targets:\n- {name: a, pid: 1}")
    try write("conf.d/a.yaml", "targets:\n- {name: b, pid: 1}\n- {name: a, pid: 2}")
    try write("conf.d/b.yaml", "targets:\n- {pid: 1, name: b}\n- {name: b, pid: 1}")
    #expect(
      problems() == [
        "D/conf.d/a.yaml:3:4: name: \"a\" is already the name of the target in D/c.yaml:2:3",
        "D/conf.d/b.yaml:2:12: name: \"b\" is already the name of the target in D/conf.d/a.yaml:2:3",
        "D/conf.d/b.yaml:3:4: name: \"b\" is already the name of the target in D/conf.d/a.yaml:2:3",
      ])
  }

  @Test func whatConcernsSeveralFilesIsCheckedAtTheEnd() throws {
    try write(
      "c.yaml", "targets: [{name: a, parent: b}, {name: '${env.X}', pid: 1}, {name: c, parent: d}]")
    try write("conf.d/a.yaml", "targets: [{name: b, pid: 1}, {name: e, pid: 0}]")
    try write("conf.d/b.yaml", "{allowed_environment: X, limits: {targets: 3}}")
    try write("conf.d/c.yaml", "targets: [{name: f, parent: zzzz}, {name: g, pid: 1}]")
    #expect(
      problems() == [
        "D/c.yaml:1:71: parent: there is no target \"d\"; did you mean \"a\"?",
        "D/conf.d/a.yaml:1:11: limits.targets is 3, but there are 7 targets; raise the limit or remove"
          + " targets",
        "D/conf.d/a.yaml:1:45: pid: expected a whole number from 1 to 4194304, found \"0\"",
        "D/conf.d/c.yaml:1:21: parent: there is no target \"zzzz\"; expected the name of another target as"
          + " it stands in the configuration",
      ])
    // What follows from a file that cannot be read is not reported.
    try write("conf.d/a.yaml", "[")
    try write("conf.d/b.yaml", "allowed_environment: X")
    #expect(problems() == ["D/conf.d/a.yaml:2:1: expected a value"])
  }

  @Test func processExportersFileIsNoPart() throws {
    let message =
      "process_names is process-exporter's and cannot stand in conf.d; name the file with"
      + " --config.file"
    try write("conf.d/a.yaml", "# x\nprocess_names: [{comm: [a]}]")
    try write("conf.d/b.yaml", "targets: [{name: b, pid: 1}, {name: c, parent: ofA}]")
    #expect(problems(isRequired: false) == ["D/conf.d/a.yaml:2:1: \(message)"])
    try write("c.yaml", "targets: [{name: m, pid: 1}]")
    #expect(problems() == ["D/conf.d/a.yaml:2:1: \(message)"])
    // As the main file it stands alone.
    try write("c.yaml", "process_names: [{comm: [a]}]")
    let configuration = try Configuration.load(path: main)
    #expect(configuration.isProcessExporter && configuration.files == [main])
    #expect(configuration.collector.targets.count == 1)
  }

  @Test func irregularFilesAreNamedAndTheOthersAreChecked() throws {
    try write("c.yaml", "a: 1")
    try FileManager.default.createSymbolicLink(
      atPath: directory + "/a.yaml", withDestinationPath: directory + "/nowhere")
    #expect(mkfifo(directory + "/b.yaml", 0o600) == 0)
    try write("conf.d/c.yaml", "limits: {targets: 0}")
    try FileManager.default.createSymbolicLink(
      atPath: directory + "/d.yaml", withDestinationPath: "d.yaml")
    #expect(
      problems().dropFirst() == [
        "D/conf.d/a.yaml: the file this link leads to does not exist; correct the link or remove it",
        "D/conf.d/b.yaml: expected a regular file, found a FIFO",
        "D/conf.d/c.yaml:1:19: targets: expected a whole number from 1 to 1000000, found \"0\"",
        "D/conf.d/d.yaml: cannot read the file: Too many levels of symbolic links",
      ])
    #expect(problems().first?.hasPrefix("D/c.yaml:1:1: unknown key \"a\"") == true)
  }

  @Test func namesThatCannotBeShownAreRefused() throws {
    try write("c.yaml", "")
    for name in ["a\n.yaml", "b\u{1b}[31m.yaml"] { try write("conf.d/" + name, "") }
    let raw: [CChar] =
      Array((directory + "/x").utf8.map(CChar.init(bitPattern:))) + [-1]
      + Array(".yml".utf8.map(CChar.init(bitPattern:))) + [0]
    close(creat(raw, 0o600))
    let tail = "is not valid UTF-8 or has control characters; rename it"
    #expect(
      problems() == [
        "D/conf.d: the file name \"a\\u{a}.yaml\" \(tail)",
        "D/conf.d: the file name \"b\\u{1b}[31m.yaml\" \(tail)",
        "D/conf.d: the file name \"x\u{FFFD}.yml\" \(tail)",
      ])
  }

  @Test func somethingElseThanADirectory() throws {
    try write("c.yaml", "")
    try FileManager.default.removeItem(atPath: directory)
    try write("conf.d", "")
    #expect(problems() == ["D/conf.d: cannot list the directory: Not a directory"])
  }

  @Test func numberOfFilesIsLimited() throws {
    try write("c.yaml", "")
    for number in 0..<1000 { try write("conf.d/\(number).yaml", "") }
    #expect(try Configuration.load(path: main).files.count == 1001)
    try write("conf.d/more.yaml", "")
    #expect(
      problems() == [
        "D/conf.d: expected at most 1000 configuration files among 10000 entries; put targets together"
          + " into fewer files"
      ])
  }

  @Test func bytesAreLimitedTogether() throws {
    // A text that is not read to its end costs no time.
    let most = "]" + String(repeating: " ", count: (4 << 20) - 1)
    try write("c.yaml", most)
    for number in 1...3 { try write("conf.d/\(number).yaml", most) }
    #expect(problems().allSatisfy { $0.contains(".yaml:1:1: ") })
    try write("conf.d/4.yaml", " ")
    #expect(
      problems().last
        == "D/conf.d/4.yaml: the files up to this one have more than 16777216 bytes together")
  }

  @Test(arguments: [
    ("/etc/procvitals/procvitals.yaml", "/etc/procvitals/conf.d"), ("c.yaml", "conf.d"),
    ("./c.yaml", "./conf.d"), ("/c.yaml", "/conf.d"),
  ])
  func placeOfTheDirectory(file: String, expected: String) {
    #expect(Configuration.directory(of: file) == expected)
  }
}
