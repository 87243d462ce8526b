import Collector
import Testing

@testable import Config

@Suite struct ProblemTests {
  /// Lists that messages end in, which grow with the catalogue and the table of keys.
  static let groups = choice(["default"] + Group.allCases.map(\.rawValue))

  static let selectors = keys(of: "targets[].match")

  static func keys(of parent: String) -> String {
    choice(KeyTable().keys(of: parent).map(\.name))
  }

  static func choice(_ names: [String]) -> String {
    names.dropLast().joined(separator: ", ") + " or \(names[names.count - 1])"
  }

  /// Keys of one target, in a line of their own behind a good name.
  static let inTarget: [(String, [String])] = [
    (
      "pid: \"12\"",
      [
        "3:8: pid: expected a whole number from 1 to 4194304, found the quoted text \"12\"; write it"
          + " without quotes"
      ]
    ),
    ("pid: 0", ["3:8: pid: expected a whole number from 1 to 4194304, found \"0\""]),
    ("pid: 4194305", ["3:8: pid: expected a whole number from 1 to 4194304, found \"4194305\""]),
    ("pid: -1", ["3:8: pid: expected a whole number from 1 to 4194304, found \"-1\""]),
    ("pid: +1", ["3:8: pid: expected a whole number from 1 to 4194304, found \"+1\""]),
    ("pid: 0x10", ["3:8: pid: expected a whole number from 1 to 4194304, found \"0x10\""]),
    ("pid: 1_000", ["3:8: pid: expected a whole number from 1 to 4194304, found \"1_000\""]),
    ("pid: 1e3", ["3:8: pid: expected a whole number from 1 to 4194304, found \"1e3\""]),
    (
      "pid: 99999999999999999999",
      [
        "3:8: pid: expected a whole number from 1 to 4194304, found \"99999999999999999999\""
      ]
    ),
    (
      "pid: 012",
      [
        "3:8: pid: expected a whole number from 1 to 4194304, found \"012\"; write it without leading"
          + " zeros"
      ]
    ),
    ("pid: [1]", ["3:8: pid: expected a whole number from 1 to 4194304, found a list"]),
    ("pid: {a: 1}", ["3:8: pid: expected a whole number from 1 to 4194304, found a mapping"]),
    (
      "pid:",
      [
        "3:7: pid: expected a whole number from 1 to 4194304, found no value; write a value"
          + " or leave the key out"
      ]
    ),
    ("pid_file: run/x.pid", ["3:13: pid_file: expected an absolute path, found \"run/x.pid\""]),
    (
      "pid_file: \"/run/a\\nb\"",
      [
        "3:13: pid_file: expected an absolute path, found the quoted text \"/run/a\\u{a}b\""
      ]
    ),
    (
      "pid_file: /\(String(repeating: "x", count: 4095))",
      [
        "3:13: pid_file: a path has at most 4095 bytes, not 4096"
      ]
    ),
    (
      "process_name: very-long-process-name",
      [
        "3:17: process_name: \"very-long-process-name\" can never match: the kernel keeps the first 15"
          + " bytes of a process name; write \"very-long-proce\""
      ]
    ),
    (
      "process_name: 12345678901234é",
      [
        "3:17: process_name: \"12345678901234é\" can never match: the kernel keeps the first 15 bytes of"
          + " a process name; write \"12345678901234*\""
      ]
    ),
    (
      "process_name: '*1234567890123456'",
      [
        "3:17: process_name: \"*1234567890123456\" can never match: the kernel keeps the first 15 bytes"
          + " of a process name; shorten it"
      ]
    ),
    (
      "process_name: /usr/sbin/nginx",
      [
        "3:17: process_name: a process name has no directory, found \"/usr/sbin/nginx\"; use exe for a"
          + " path"
      ]
    ),
    (
      "process_name: ''",
      [
        "3:17: process_name: expected a process name or a glob, found the quoted text \"\""
      ]
    ),
    (
      "process_name: {a: b}",
      [
        "3:17: process_name: expected a process name or a glob, or a list of them, found a mapping"
      ]
    ),
    (
      "process_name: []",
      [
        "3:17: process_name: expected a list of 1 to 1000 entries, found 0"
      ]
    ),
    (
      "process_name: [a, [b], null]",
      [
        "3:21: process_name: expected a process name or a glob, found a list",
        "3:26: process_name: expected a process name or a glob, found no value; write a"
          + " value or leave the key out",
      ]
    ),
    (
      "exe: nginx",
      [
        "3:8: exe: expected an absolute path or a glob that begins with / or *, found \"nginx\"; write"
          + " \"*/nginx\""
      ]
    ),
    (
      "pid: 1\n- a",
      [
        "4:3: an entry of targets: expected a mapping with \(keys(of: "targets[]")),"
          + " found \"a\""
      ]
    ),
    (
      "pid: 1\n  children: yes",
      [
        "4:13: children: expected true or false, found \"yes\"; a boolean is only written true or false;"
          + " write true"
      ]
    ),
    (
      "pid: 1\n  children: Off",
      [
        "4:13: children: expected true or false, found \"Off\"; a boolean is only written true or false;"
          + " write false"
      ]
    ),
    ("pid: 1\n  children: 1", ["4:13: children: expected true or false, found \"1\""]),
    (
      "pid: 1\n  children: \"true\"",
      [
        "4:13: children: expected true or false, found the quoted text \"true\"; write it without quotes"
      ]
    ),
    (
      "pid: 1\n  labels: [a]",
      [
        "4:11: labels: expected a mapping of label names to values, found a list; write {service: shop}"
      ]
    ),
    (
      "pid: 1\n  labels: {target: a, 1x: b, __x: c, a-b: d, ok: [], e: '', le: x}",
      [
        "4:12: labels: the label \"target\" is reserved; give it another name",
        "4:23: labels: \"1x\" cannot be a label's name; expected letters, digits and _, not beginning"
          + " with a digit or __",
        "4:30: labels: \"__x\" cannot be a label's name; expected letters, digits and _, not beginning"
          + " with a digit or __",
        "4:38: labels: \"a-b\" cannot be a label's name; expected letters, digits and _, not beginning"
          + " with a digit or __",
        "4:50: labels.ok: expected a text of 1 to 1024 bytes without control characters, found a list",
        "4:57: labels.e: expected a text of 1 to 1024 bytes without control characters, found the quoted"
          + " text \"\"; it has 0 bytes",
        "4:61: labels: the label \"le\" is reserved; give it another name",
      ]
    ),
    (
      "pid: 1\n  collect: default",
      [
        "4:12: collect: expected a list of metric groups: \(groups), found \"default\"; write [default]"
      ]
    ),
    (
      "pid: 1\n  collect: [default, memry, zzz, {}]",
      [
        "4:22: collect: unknown metric group \"memry\"; did you mean \"memory\"?",
        "4:29: collect: unknown metric group \"zzz\"; expected \(groups)",
        "4:34: collect: expected the name of a metric group, found a mapping",
      ]
    ),
    (
      "pid: 1\n  match: {pid: 2}",
      ["4:11: \"pid\" is given twice, first in line 3; keep one of them"]
    ),
    (
      "match: {pid_file: x}\n  pid_file: /x",
      [
        "3:21: pid_file: expected an absolute path, found \"x\"",
        "4:3: \"pid_file\" is given twice, first in line 3; keep one of them",
      ]
    ),
    (
      "match: /x",
      [
        "3:10: match: expected a mapping with \(selectors), found \"/x\""
      ]
    ),
    (
      "exe: '*\(String(repeating: "x", count: 4095))'",
      ["3:8: exe: a path has at most 4095 bytes, not 4096"]
    ),
    (
      "pid: 1\n  labels: {\((1...65).map { "l\($0): x" }.joined(separator: ", "))}",
      ["4:11: labels: expected at most 64 labels, found 65"]
    ),
    (
      "match: {}",
      [
        "2:3: this target has no selector; expected at least one of \(selectors)"
      ]
    ),
    (
      "children: true",
      [
        "2:3: this target has no selector; expected at least one of \(selectors)"
      ]
    ),
    ("pidfile: /x", ["3:3: unknown key \"pidfile\"; did you mean \"pid_file\"?"]),
    (
      "match: {children: true, name: x}",
      [
        "3:11: unknown key \"children\" in this place; it belongs into an entry of targets",
        "3:27: unknown key \"name\" in this place; it belongs into an entry of targets",
      ]
    ),
    ("pid: *x", ["3:8: aliases are not supported: *x"]),
    ("pid: &x 5", ["3:8: anchors are not supported: &x"]),
  ]

  @Test(arguments: inTarget)
  func target(entry: String, expected: [String]) {
    #expect(problems("targets:\n- name: a\n  \(entry)") == expected)
  }

  static let inFile: [(String, [String])] = [
    (
      "[]",
      [
        "1:1: the configuration: expected a mapping with \(keys(of: "")), found a list"
      ]
    ),
    (
      "text",
      [
        "1:1: the configuration: expected a mapping with \(keys(of: "")), found \"text\""
      ]
    ),
    ("target: []", ["1:1: unknown key \"target\"; did you mean \"targets\"?"]),
    ("TARGETS: []", ["1:1: unknown key \"TARGETS\"; did you mean \"targets\"?"]),
    (
      "scrape_configs: []",
      [
        "1:1: unknown key \"scrape_configs\"; expected \(keys(of: ""))"
      ]
    ),
    (
      "collect: []",
      [
        "1:1: unknown key \"collect\" in this place; it belongs into defaults or an entry of targets"
      ]
    ),
    (
      "\"a\\e[31m\\u202e\": 1",
      [
        "1:1: unknown key \"a\\u{1b}[31m\\u{202e}\"; expected \(keys(of: ""))"
      ]
    ),
    (
      "\(String(repeating: "x", count: 200)): 1",
      [
        "1:1: unknown key \"\(String(repeating: "x", count: 60))…\"; expected"
          + " \(keys(of: ""))"
      ]
    ),
    (
      "targets:",
      [
        "1:9: targets: expected a list, each item a target, found no value; leave the key out or write"
          + " []"
      ]
    ),
    (
      "targets: {name: a}",
      [
        "1:10: targets: expected a list, each item a target, found a mapping; begin each item with"
          + " \"- \""
      ]
    ),
    (
      "limits:\ndefaults: x",
      [
        "1:8: limits: expected a mapping with \(keys(of: "limits")),"
          + " found no value; leave the key out to have the defaults",
        "2:11: defaults: expected a mapping with \(keys(of: "defaults")), found \"x\"",
      ]
    ),
    (
      "limits: {kept_descriptors: 1000001, processes_per_target: 0, threads_per_process: 1.5}",
      [
        "1:28: kept_descriptors: expected a whole number from 0 to 1000000, found \"1000001\"",
        "1:59: processes_per_target: expected a whole number from 1 to 1000000, found \"0\"",
        "1:83: threads_per_process: expected a whole number from 1 to 1000000, found \"1.5\"",
      ]
    ),
    ("targets:\n- pid: 1", ["2:3: this target has no name; expected name: …"]),
    (
      "targets:\n- {}",
      [
        "2:3: this target has no selector; expected at least one of \(selectors)",
        "2:3: this target has no name; expected name: …",
      ]
    ),
    (
      "targets:\n- name: ''\n  pid: 1",
      [
        "2:9: name: expected a text of 1 to 128 bytes without control characters, found the quoted text"
          + " \"\"; it has 0 bytes"
      ]
    ),
    (
      "targets:\n- name: ~\n  pid: 1",
      [
        "2:9: name: expected a text of 1 to 128 bytes without control characters, found no value; write"
          + " a value or leave the key out"
      ]
    ),
    (
      "targets:\n- name: \"a\\tb\"\n  pid: 1",
      [
        "2:9: name: expected a text of 1 to 128 bytes without control characters, found the quoted text"
          + " \"a\\u{9}b\""
      ]
    ),
    (
      "targets:\n- {name: a, pid: 1}\n- {name: b, pid: 1}\n- {pid: 1, name: a}",
      [
        "4:12: name: \"a\" is already the name of the target in line 2"
      ]
    ),
    (
      "targets:\n- {name: a, pid: 1}\n- {name: b, pid: 1}\n- {name: c, pid: 1}\nlimits: {targets: 1}",
      [
        "3:3: limits.targets is 1, but there are 3 targets; raise the limit or remove targets"
      ]
    ),
    (
      "limits: {targets: 1, targets: 2}",
      [
        "1:22: \"targets\" is given twice in this mapping, first in line 1"
      ]
    ),
  ]

  @Test(arguments: inFile)
  func file(text: String, expected: [String]) { #expect(problems(text) == expected) }

  @Test func allProblemsInTheOrderOfTheFile() {
    let text = """
      targets:
        - pidfile: /x
        - {name: a, pid: x, children: no}
        - {name: a, process_name: b}
      limit: 1
      defaults: {collect: [cpu, cpus]}
      defaults: {}
      """
    #expect(
      problems(text) == [
        "2:5: unknown key \"pidfile\"; did you mean \"pid_file\"?",
        "2:5: this target has no name; expected name: …",
        "3:20: pid: expected a whole number from 1 to 4194304, found \"x\"",
        "3:33: children: expected true or false, found \"no\"; a boolean is only written true or false;"
          + " write false",
        "4:6: name: \"a\" is already the name of the target in line 3",
        "5:1: unknown key \"limit\"; did you mean \"limits\"?",
        "6:27: collect: unknown metric group \"cpus\"; did you mean \"cpu\"?",
        "7:1: \"defaults\" is given twice in this mapping, first in line 6",
      ])
  }

  @Test func earlierProblemsStandBeforeTheSyntaxError() {
    #expect(
      problems("a: 1\na: 2\nb: [") == [
        "2:1: \"a\" is given twice in this mapping, first in line 1",
        "4:1: expected a value",
      ])
  }

  @Test func atMostTwentyAreShown() throws {
    let text = (1...2500).map { "x\($0): 1\n" }.joined()
    let error = #expect(throws: ConfigError.self) { try parse(text) }
    #expect(error?.problems.count == 20)
    #expect(error?.total == 2500)
    #expect(error?.problems.last?.position == Position(line: 20, column: 1))
    #expect(error?.description.hasSuffix("\nand 2480 more") == true)
    #expect(error?.description.hasPrefix("f:1:1: unknown key \"x1\"; ") == true)
  }
}
