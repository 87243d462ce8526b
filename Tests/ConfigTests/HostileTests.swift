import Config
import TestSupport
import Testing

@Suite struct HostileTests {
  private static let valid = Array(
    """
    %YAML 1.1
    ---
    defaults: {collect: [default, io]}
    # é
    targets:
      - name: "größe\\u00e9"
        pid_file: '/run/x.pid'
        labels: {service: shop, tier: |-
          x
        }
        match: {exe: ["*/a", /b], process_name: c?d}
        children: true
      - {name: b, pid: 812, collect: []}
    limits:
      targets: 5
      kept_descriptors: 0
    """.utf8)

  /// Neither a trap nor an error without a text.
  private func check(_ text: [UInt8], _ comment: Comment) {
    do throws(ConfigError) {
      _ = try Configuration.parse(text: text, file: "f")
    } catch {
      #expect(error.total > 0 && !error.problems.isEmpty, comment)
      for problem in error.problems {
        #expect(!problem.message.isEmpty, comment)
        #expect(!problem.description.utf8.contains { $0 < 0x20 }, comment)
        let lines = text.count { $0 == 0x0A || $0 == 0x0D } + 3
        #expect((1...lines).contains(problem.position?.line ?? 1), comment)
      }
    }
  }

  @Test func truncatedAtEveryByte() {
    for length in 0...Self.valid.count {
      check(Array(Self.valid.prefix(length)), "length \(length)")
    }
  }

  @Test func everyByteReplaced() {
    let bytes = Array("\0\t\n\r !\"#%&'*,-:<>?@[]`{|}~\\\u{7F}".utf8) + [0x80, 0xC3, 0xFF]
    for index in Self.valid.indices {
      var text = Self.valid
      for byte in bytes {
        text[index] = byte
        check(text, "byte \(byte) at \(index)")
      }
    }
  }

  @Test func randomChanges() {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SeededGenerator(seed: seed)
    for round in 0..<5000 {
      var text = Self.valid
      for _ in 0..<Int.random(in: 1...8, using: &random) {
        let index = Int.random(in: 0..<text.count, using: &random)
        switch Int.random(in: 0...3, using: &random) {
        case 0: text[index] ^= 1 << UInt8.random(in: 0...7, using: &random)
        case 1: text.remove(at: index)
        case 2: text.insert(UInt8.random(in: 0...255, using: &random), at: index)
        default:
          let end = min(text.count, index + Int.random(in: 0...20, using: &random))
          text.insert(
            contentsOf: Array(text[index..<end]), at: Int.random(in: 0...text.count, using: &random)
          )
        }
      }
      check(text, "seed \(seed), round \(round)")
    }
  }

  @Test(arguments: [
    "- ", "? ", ": ", "[", "{", "a: ", "a:\n", "- a\n", "&a ", "*a ", "!!a ", "'", "\"", "|\n", "%",
    "---\n", "a: b: ", "{a: ", "[a, ", "\n\t", "#", "a", "{}: ", "\u{FEFF}", "é", "x: &x *x\n", ",",
  ])
  func repeated(piece: String) {
    check(Array(String(repeating: piece, count: 5000).utf8), "\(piece)")
  }

  @Test func aliasBombIsNotExpanded() {
    var text = "a0: &a0 [x, x]\n"
    for level in 1...30 {
      text += "a\(level): &a\(level) [*a\(level - 1), *a\(level - 1), *a\(level - 1)]\n"
    }
    let error = #expect(throws: ConfigError.self) { try parse(text) }
    #expect(error?.total == 31 + 30 * 3 + 31)
  }
}
