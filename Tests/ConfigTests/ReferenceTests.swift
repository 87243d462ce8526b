import Config
import Foundation
import Testing

@Suite struct ReferenceTests {
  private static let root = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  @Test(arguments: [
    ("docs/configuration.md", ConfigurationReference.markdown),
    ("config/procvitals.yaml", ConfigurationReference.example),
  ])
  func committedFileIsCurrent(path: String, rendered: String) throws {
    let file = Self.root.appendingPathComponent(path)
    if ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] == "1" {
      try Data(rendered.utf8).write(to: file)
      Issue.record("recorded \(path); run again")
      return
    }
    let committed = try String(contentsOf: file, encoding: .utf8)
    #expect(committed == rendered, "\(path) is stale; UPDATE_GOLDEN=1 writes it anew")
  }

  @Test func exampleAsItIsMeansTheDefaults() throws {
    let example = Array(ConfigurationReference.example.utf8)
    #expect(
      try Configuration.parse(text: example, file: "example").collector == Configuration().collector
    )
  }

  @Test func exampleWithoutCommentMarksIsValid() throws {
    // Lines of prose at the top have one space after the mark; keys have none or an indentation.
    let lines = ConfigurationReference.example.split(
      separator: "\n", omittingEmptySubsequences: false
    ).map {
      $0.hasPrefix("#") && (!$0.hasPrefix("# ") || $0.hasPrefix("#  ")) ? $0.dropFirst() : $0
    }
    let text = lines.joined(separator: "\n")
    let configuration = try Configuration.parse(text: Array(text.utf8), file: "example")
    #expect(configuration.collector.targets.count == 2)
    #expect(configuration.collector.targets.first?.rule.selector.pid == 812)
    #expect(configuration != Configuration())
  }

  @Test func linesAreShort() {
    #expect(ConfigurationReference.example.split(separator: "\n").allSatisfy { $0.count <= 100 })
  }
}
