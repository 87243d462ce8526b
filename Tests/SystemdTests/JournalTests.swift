import Linux
import TestSupport
import Testing

@testable import Systemd

/// What a journal reads out of a datagram; nil if the datagram is broken.
private func fields(_ datagram: [UInt8]) -> [(name: String, value: [UInt8])]? {
  var found: [(name: String, value: [UInt8])] = []
  var rest = datagram[...]
  while !rest.isEmpty {
    guard let end = rest.firstIndex(of: 10) else { return nil }
    let line = rest[..<end]
    rest = rest[(end + 1)...]
    if let sign = line.firstIndex(of: UInt8(ascii: "=")) {
      found.append((String(decoding: line[..<sign], as: UTF8.self), Array(line[(sign + 1)...])))
      continue
    }
    guard rest.count >= 8 else { return nil }
    let count = rest.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    rest = rest.dropFirst(8)
    guard count < rest.count, rest[rest.startIndex + Int(count)] == 10 else { return nil }
    found.append((String(decoding: line, as: UTF8.self), Array(rest.prefix(Int(count)))))
    rest = rest.dropFirst(Int(count) + 1)
  }
  return found
}

@Suite struct JournalTests {
  @Test(
    arguments: [
      ([], ""), ([("MESSAGE", "m")], "MESSAGE=m\n"), ([("A", ""), ("B", "b=c ")], "A=\nB=b=c \n"),
      ([("A", "é\u{4e16}\u{7f}")], "A=é\u{4e16}\u{7f}\n"),
      ([("A", "\n")], "A\n\u{1}\0\0\0\0\0\0\0\n\n"),
      ([("A", "b\nC=d\n"), ("E", "f")], "A\n\u{6}\0\0\0\0\0\0\0b\nC=d\n\nE=f\n"),
      ([("A", "b\0c")], "A\n\u{3}\0\0\0\0\0\0\0b\0c\n"),
      ([("A", "\t")], "A\n\u{1}\0\0\0\0\0\0\0\t\n"),
    ] as [([(name: String, value: String)], String)])
  func protocolOfTheJournal(fields: [(name: String, value: String)], expected: String) {
    #expect(Journal.datagram(fields) == Array(expected.utf8))
  }

  @Test(
    arguments: [
      ("target", "TARGET"), ("dropIn", "DROPIN"), ("a1_b", "A1_B"),
      ("tls.min-version", "TLS_MIN_VERSION"),
      ("_target", "TARGET"), ("1st", "ST"), ("__1_a", "A"), ("two words\n=", "TWO_WORDS__"),
      ("é", nil), ("", nil), ("_", nil), ("12", nil),
      ("message", nil), ("_Message", nil), ("priority", nil), ("syslog_pid", nil),
      ("message_id", nil),
      ("messages", "MESSAGES"), ("pid", "PID"),
      (String(repeating: "a", count: 65), String(repeating: "A", count: 64)),
    ] as [(String, String?)])
  func namesOfFields(key: String, expected: String?) {
    #expect(Journal.name(for: key) == expected)
  }

  @Test func longValuesAreCutBetweenCharacters() throws {
    let limit = Journal.valueLimit
    for (text, count) in [
      (String(repeating: "a", count: limit), limit),
      (String(repeating: "a", count: limit + 1), limit),
      (String(repeating: "a", count: limit - 1) + "é", limit - 1),
      (String(repeating: "\u{4e16}", count: limit), limit),
      (String(repeating: "\n", count: 64 << 10), limit),
    ] {
      let found = try #require(fields(Journal.datagram([("A", text), ("B", "b")])))
      #expect(found.map(\.name) == ["A", "B"])
      #expect(found[0].value == Array(text.utf8.prefix(count)))
    }
  }

  /// Whatever a value is, it is in the entry, and nothing of it becomes another field.
  @Test func everyValueArrives() throws {
    let seed = UInt64.random(in: 0 ... .max)
    var random = SeededGenerator(seed: seed)
    let directory = try TemporaryDirectory()
    let receiver = try DatagramReceiver(directory.path + "/socket")
    let journal = try Journal(path: receiver.path)
    let special = Array("\n\0=\rAé\u{4e16}\u{85} ".unicodeScalars)
    for _ in 0..<1000 {
      var sent: [(name: String, value: String)] = []
      for index in 0..<Int.random(in: 1...5, using: &random) {
        var value = String.UnicodeScalarView()
        for _ in 0..<Int.random(in: 0...20, using: &random) {
          if let scalar = special.randomElement(using: &random) { value.append(scalar) }
        }
        sent.append(("FIELD_\(index)", String(value)))
      }
      try journal.send(sent)
      let found = try #require(receiver.next().flatMap(fields), "seed \(seed)")
      #expect(found.map(\.name) == sent.map(\.name), "seed \(seed)")
      #expect(found.map(\.value) == sent.map { Array($0.value.utf8) }, "seed \(seed)")
    }
  }

  /// Of the largest entries that are made all fields arrive.
  @Test func threeLargeValuesFit() throws {
    let directory = try TemporaryDirectory()
    let receiver = try DatagramReceiver(directory.path + "/socket")
    let large = String(repeating: "x\n", count: 1 << 20)
    try Journal(path: receiver.path).send([("MESSAGE", large), ("A", large), ("B", large)])
    let found = try #require(receiver.next().flatMap(fields))
    #expect(found.map(\.value.count) == [Int](repeating: Journal.valueLimit, count: 3))
  }

  @Test func noJournal() throws {
    let journal = try Journal(path: "/nowhere/socket")
    #expect(throws: Errno.notFound) { try journal.send([("MESSAGE", "m")]) }
  }
}
