import Foundation
import GoChecks
import Linux
import TestSupport
import Testing

@testable import GoRuntime

@Suite struct ProgramFileTests {
  private let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  private func outcome(_ bytes: [UInt8]) throws -> ProgramFile.Outcome {
    let path = directory.path + "/program"
    try writeFile(path, bytes)
    return try ProgramFile.read(try openFile(path, [.read]))
  }

  private func program(_ bytes: [UInt8]) throws -> ProgramFile? {
    guard case .program(let file) = try outcome(bytes) else { return nil }
    return file
  }

  private func reason(_ bytes: [UInt8]) throws -> String? {
    guard case .other(let reason) = try outcome(bytes) else { return nil }
    return reason
  }

  @Test func aProgramSaysWhereThingsAre() throws {
    let file = try #require(try program(FakeProgram().bytes))
    #expect(file.version == "go1.27.3")
    #expect(file.layout.minor == 27 && file.layout.machine == .amd64)
    #expect(!file.isNewerThanKnown && !file.isRelocatable)
    #expect(file.image == 0x50_0000..<0x63_0000)
    #expect(file.variables == [0x60_0000..<0x61_0000, 0x61_0000..<0x63_0000])
    #expect(
      file.symbols == [
        .memstats: 0x60_0000, .controller: 0x60_0100, .heap: 0x60_0200, .scheduler: 0x60_0300,
        .processors: 0x60_0400, .goroutines: 0x60_0500,
      ])
  }

  @Test func withoutSymbolsOnlyThePlaceOfVariablesIsKnown() throws {
    let file = try #require(try program(FakeProgram(hasSymbols: false).bytes))
    #expect(file.symbols == nil)
    #expect(file.variables.count == 2)
  }

  /// Where all sections were taken away, the build information is looked for in what can be written
  /// to, and so are variables.
  @Test(arguments: [0, 16, 0x4000]) func withoutSections(room: Int) throws {
    let file = try #require(try program(FakeProgram(hasSections: false, room: room).bytes))
    #expect(file.version == "go1.27.3")
    #expect(file.variables == [FakeProgram.dataAddress..<0x63_0000])
    #expect(file.symbols == nil)
  }

  @Test func machinesAndKindsAreTold() throws {
    let file = try #require(try program(FakeProgram(machine: 183, type: 3).bytes))
    #expect(file.layout.machine == .arm64 && file.isRelocatable)
    #expect(try reason(FakeProgram(machine: 243).bytes) != nil)
    #expect(try reason(FakeProgram(type: 1).bytes) != nil)
  }

  @Test(arguments: [
    ("go1.25.5 X:greenteagc", 25), ("go1.27.3-X:nogreenteagc", 27), ("go1.19.8", 19),
    ("devel go1.28-4a3c8b7 Thu Nov 5 10:00:00 2026 +0000", 28), ("go1.22.3-microsoft", 22),
    ("go1.21", 21), ("go1.24rc2", 24), ("go1.21.5 X:boringcrypto", 21), ("go2.1", nil),
    ("devel +4a3c8b7", nil), ("go1.", nil), ("go1.99999999999999999999", nil), ("", nil),
  ])
  func versions(_ version: String, _ minor: Int?) throws {
    #expect(ProgramFile.minor(of: version) == minor)
    let file = try program(FakeProgram(version: version).bytes)
    #expect(file?.version == (minor == nil ? nil : version))
    #expect(file?.isNewerThanKnown == minor.map { $0 > 27 })
  }

  @Test func otherFilesSayWhyNot() throws {
    #expect(try reason([]) == "it is no 64-bit ELF program")
    #expect(try reason(Array("#!/bin/sh\n".utf8)) == "it is no 64-bit ELF program")
    let pointers = FakeProgram(buildInfoFlags: 0).bytes
    #expect(try reason(pointers) == "it is no Go program, or one of Go 1.17 or older")
    guard case .unknown("go1.20.1") = try outcome(FakeProgram(version: "go1.20.1").bytes) else {
      Issue.record("Go 1.20 has a layout")
      return
    }
    #expect(try reason(FakeProgram(version: "go1.\u{1}").bytes) != nil)
    #expect(
      try reason(try contents("/bin/sh")) == "it is no Go program, or one of Go 1.17 or older")
  }

  /// Every length of a file, and any flipped bits in what says where things are.
  @Test func filesThatAreCutOrLieNeverTrap() throws {
    let seed = UInt64.random(in: 0 ... .max)
    print("ProgramFileTests: seed \(seed)")
    var random = SeededGenerator(seed: seed)
    let whole = FakeProgram().bytes
    for length in [0..<200, FakeProgram.data..<whole.count].joined() where length % 3 != 0 {
      _ = try? outcome(Array(whole.prefix(length)))
    }
    let telling = Array(0..<176) + Array(FakeProgram.data..<whole.count)
    for _ in 0..<1000 {
      var bytes = whole
      for _ in 0..<Int.random(in: 1...6, using: &random) {
        guard let place = telling.randomElement(using: &random) else { return }
        bytes[place] =
          Bool.random(using: &random)
          ? bytes[place] ^ 1 << UInt8.random(in: 0..<8, using: &random)
          : UInt8.random(in: 0...255, using: &random)
      }
      guard let file = try? program(bytes) else { continue }
      // Whoever searches what it says must come to an end as well.
      let locator = Locator(file, bias: random.next() >> 20) { (_, _) throws(Errno) in
        throw .badAddress
      }
      #expect(throws: Refusal.self) { try locator.locate() }
    }
  }

  @Test("No input of the fuzz corpus breaks anything", arguments: ["corpus", "regression"])
  func replay(_ name: String) throws {
    let folder = projectDirectory + "Tests/Fuzz/GoRuntime/" + name
    for file in try FileManager.default.contentsOfDirectory(atPath: folder) {
      checkThatAnyProgramIsTaken(try contents(folder + "/" + file))
    }
  }

  /// Sections that are cut keep their number: links to those behind them stay right.
  @Test func aSectionThatLiesMovesNoOther() throws {
    var bytes = FakeProgram().bytes
    let sections = bytes[40..<48].reversed().reduce(0) { $0 << 8 | Int($1) }
    for byte in 0..<8 { bytes[sections + 2 * 64 + 32 + byte] = 0xff }
    let file = try #require(try program(bytes))
    #expect(file.symbols?.count == 6)
    #expect(file.variables == [0x61_0000..<0x63_0000])
  }
}
