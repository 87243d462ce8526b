import Foundation
import TestSupport
import Testing

@testable import Collector

@Suite struct ReferenceTests {
  private var families: [String] {
    Catalogue.process.map(\.family.name) + Catalogue.target.map(\.family.name)
      + Catalogue.exporter.map(\.family.name)
  }

  @Test func committedPageIsCurrent() {
    if let problem = difference(Reference.render(.markdown), fromGolden: "docs/metrics.md") {
      Issue.record("\(problem)")
    }
  }

  @Test func markdownHasEveryFamilyOnce() {
    let rows = Reference.render(.markdown).split(separator: "\n").filter { $0.hasPrefix("| `") }
    let others =
      Catalogue.namedprocess.map(\.family.name) + Catalogue.processExporter.map(\.family.name)
    // What has a dot is OpenTelemetry's.
    let names = rows.map { String($0.split(separator: "`")[1]) }.filter { !$0.contains(".") }
    #expect(names.sorted() == (families + others).sorted())
  }

  /// A cell that holds a bar would move the others.
  @Test func rowsHaveAsManyCellsAsTheirHeading() {
    var cells = 0
    for line in Reference.render(.markdown).split(separator: "\n", omittingEmptySubsequences: false)
    {
      let bars = line.count { $0 == "|" }
      if bars == 0 { cells = 0 } else if cells == 0 { cells = bars }
      #expect(bars == cells, "\(line)")
    }
  }

  @Test func jsonParses() throws {
    let data = Data(Reference.render(.json).utf8)
    let rows = try #require(try JSONSerialization.jsonObject(with: data) as? [[String: Any]])
    #expect(rows.compactMap { $0["name"] as? String } == families.sorted())
    let fds = try #require(rows.first { $0["name"] as? String == "process_fd_usage_ratio" })
    #expect(fds["type"] as? String == "gauge")
    #expect(fds["unit"] as? String == "ratio")
    #expect(fds["group"] as? String == "core")
    #expect(fds["default"] as? Bool == true)
    #expect(fds["files"] as? [String] == ["fd", "limits"])
    #expect(fds["over_processes"] as? String == "worst")
    let exits = try #require(rows.first { $0["name"] as? String == "process_exits_total" })
    #expect(exits["labels"] as? [String] == ["reason", "status"])
    #expect(exits["over_processes"] as? String == "sum")
    for row in rows { #expect(row.count == 10) }
  }
}
