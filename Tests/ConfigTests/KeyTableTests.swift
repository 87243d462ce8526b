import Collector
import Metrics
import Testing

@testable import Config

@Suite struct KeyTableTests {
  private static var keys: [Key] { KeyTable().keys }

  @Test func pathsAreUniqueAndLegal() {
    #expect(Set(Self.keys.map(\.path)).count == Self.keys.count)
    for key in Self.keys {
      #expect(
        key.name.allSatisfy { $0.isASCII && ($0.isLowercase || $0.isNumber || $0 == "_") }
          && key.name.first?.isLowercase == true,
        "\(key.path)")
    }
  }

  @Test func everyKeyIsReachable() {
    let parents = Set(
      Self.keys.map { key in
        if case .list = key.content { key.path + "[]" } else { key.path }
      } + [""])
    for key in Self.keys { #expect(parents.contains(key.parent), "\(key.path)") }
  }

  @Test func everyMappingAndListHasKeys() {
    let parents = Set(Self.keys.map(\.parent))
    for key in Self.keys {
      switch key.content {
      case .mapping: #expect(parents.contains(key.path), "\(key.path)")
      case .list: #expect(parents.contains(key.path + "[]"), "\(key.path)")
      case .value: #expect(!parents.contains(key.path), "\(key.path)")
      }
    }
  }

  @Test func meaningsAreSentences() {
    for key in Self.keys {
      let sentences = key.meaning.split(separator: ". ")
      #expect((1...2).contains(sentences.count), "\(key.path)")
      #expect(key.meaning.first?.isUppercase == true, "\(key.path)")
      #expect(key.meaning.hasSuffix("."), "\(key.path)")
    }
  }

  @Test func labelsOfFamiliesAreReserved() {
    #expect(KeyTable.reservedLabels.isSuperset(of: ["target", "pid", "le", "quantile"]))
    for family in Catalogue.process.map(\.family) + Catalogue.target.map(\.family) {
      #expect(KeyTable.reservedLabels.isSuperset(of: family.labels), "\(family.name)")
    }
    #expect(KeyTable.reservedLabels.isDisjoint(with: ["service", "instance", "job"]))
  }

  @Test func namesInMatchAreThoseOfTheTarget() {
    let table = KeyTable()
    let target = Set(table.keys(of: "targets[]").map(\.name))
    for key in table.keys(of: "targets[].match") { #expect(target.contains(key.name)) }
  }

  /// Reads a value, as it stands in a file, as the value of a key.
  private func read(_ text: String, as key: Key) throws -> (Draft, Int) {
    guard case .value(_, let read) = key.content else { return (Draft(), 0) }
    var problems = Problems(source: key.path)
    var draft = Draft()
    read(try #require(Node.parse(Array(text.utf8), &problems)), &draft, &problems)
    return (draft, problems.total)
  }

  @Test func initialValuesAreWithinRange() throws {
    for key in Self.keys {
      guard let initial = key.initial else { continue }
      let (draft, problems) = try read(initial, as: key)
      #expect(problems == 0, "\(key.path): \(initial)")
      guard case .value(let destination, _) = key.content else { continue }
      #expect(
        String(describing: draft[keyPath: destination])
          == String(describing: Draft()[keyPath: destination]), "\(key.path)")
    }
  }

  @Test func examplesAreValidAndReachTheirDestination() throws {
    for key in Self.keys {
      guard case .value(let destination, _) = key.content else { continue }
      let (draft, problems) = try read(key.example, as: key)
      #expect(problems == 0, "\(key.path): \(key.example)")
      // The default set is the example of what is collected by default.
      if key.path == "defaults.collect" { continue }
      #expect(
        String(describing: draft[keyPath: destination])
          != String(describing: Draft()[keyPath: destination]), "\(key.path)")
    }
  }
}
