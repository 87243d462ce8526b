import Metrics
import ProcFS

/// The reference of all metrics, made from the catalogue.
package enum Reference {
  package enum Format: String, Sendable, CaseIterable {
    case markdown, json
  }

  /// Renders the whole reference.
  package static func render(_ format: Format) -> String {
    switch format {
    case .markdown: markdown
    case .json: json
    }
  }

  /// A row without the types of what it is taken from.
  private struct Entry {
    var family: Family
    /// The name of its group; nil for the exporter's own.
    var group: Group?
    var isDefault: Bool
    var sources: [String]
    var over: String
  }

  private static var processEntries: [Entry] {
    Catalogue.process.map {
      Entry(
        family: $0.family, group: $0.group, isDefault: $0.isDefault,
        sources: $0.sources.map(\.name), over: $0.over.rawValue)
    }
  }

  private static var targetEntries: [Entry] {
    Catalogue.target.map {
      Entry(
        family: $0.family, group: $0.group, isDefault: $0.isDefault,
        sources: $0.sources.map(\.name), over: $0.group == nil ? "" : $0.over.rawValue)
    }
  }

  private static var exporterEntries: [Entry] {
    Catalogue.exporter.map {
      Entry(family: $0.family, group: nil, isDefault: true, sources: [], over: "")
    }
  }

  private static var markdown: String {
    var text = """
      # Metrics

      Every family that procvitals serves, by group.
      `procvitals metrics` prints this page; it is made from the catalogue in `Sources/Collector/Catalogue.swift`.

      Every series about a target carries the label `target` and the labels of its configuration.
      "Default" marks what `collect: [default]` switches on.
      "Over processes" says how the values of several processes become the one of their target.
      What could not be read is absent, never 0; a limit that is "unlimited" is absent too.
      Counters of a target never fall: what a process had when it was last read stays in the sum.
      A sum leaves out what could not be read of a process, and `procvitals_unreadable_total` counts it.
      A process that moves from one target to another counts in both with all that it used.

      """
    for group in Group.allCases {
      let entries = (processEntries + targetEntries).filter { $0.group == group }
        .sorted { $0.family.name < $1.family.name }
      text += "\n## \(group.rawValue)\n\n\(group.summary)\n\n"
      text +=
        "| Family | Type | Unit | Labels | Default | Over processes | OpenTelemetry | Meaning |\n"
      text += "|---|---|---|---|---|---|---|---|\n"
      for entry in entries {
        text +=
          "| `\(entry.family.name)` | \(entry.family.kind.rawValue)"
          + " | \(entry.family.unit.rawValue) | \(labels(entry))"
          + " | \(entry.isDefault ? "yes" : "") | \(entry.over)"
          + " | \(conventional(entry.family)) | \(entry.family.help) |\n"
      }
    }
    text += "\n## The exporter itself\n\nServed always; those about a target carry its labels.\n\n"
    text += "| Family | Type | Unit | Labels | Meaning |\n|---|---|---|---|---|\n"
    let own = (targetEntries + exporterEntries).filter { $0.group == nil }
    for entry in own.sorted(by: { $0.family.name < $1.family.name }) {
      text +=
        "| `\(entry.family.name)` | \(entry.family.kind.rawValue)"
        + " | \(entry.family.unit.rawValue) | \(labels(entry)) | \(entry.family.help) |\n"
    }
    return text + otherNames + openTelemetryNames
  }

  private static func conventional(_ family: Family) -> String {
    family.convention.map { "`\($0.shown)`" } ?? ""
  }

  private static var openTelemetryNames: String {
    var text = """

      ## OpenTelemetry's names

      What is [pushed](otlp.md) goes by the names of OpenTelemetry's semantic conventions where \
      there is one, in the column above; everything else goes by its own name.
      `process.uptime` is the time since `process_start_time_seconds`.
      Some metrics are only there, with the group go; those that begin with `runtime.go.` only with \
      `older_go_names`, and then beside the others:

      | Metric | Unit | Made of |
      |---|---|---|

      """
    for row in Catalogue.conventional {
      if let name = row.family.convention { text += pushed(name, row.family.help) }
    }
    for (row, name) in Catalogue.olderGoNames.sorted(by: { $0.convention.name < $1.convention.name }
    ) {
      text += pushed(name, row.family.convention == name ? row.family.help : "`\(row.family.name)`")
    }
    return text
  }

  private static func pushed(_ name: Convention, _ source: String) -> String {
    "| `\(name.shown)` | \(name.unit) | \(source) |\n"
  }

  private static var otherNames: String {
    var text = """

      ## process-exporter's names

      With `names: namedprocess` in the configuration, with a configuration of process-exporter, or \
      at `/metrics?names=namedprocess`, these take the places of the families about targets, which \
      they are made of; what is said there holds for them too.
      Targets of the same name are one group, and other labels of theirs are left out.

      | Family | Type | Labels | Made of | Meaning |
      |---|---|---|---|---|

      """
    for row in Catalogue.namedprocess {
      let sources = row.parts.map { "`\($0.source)`" }.joined(separator: ", ")
      text += named(row.family, sources)
    }
    for row in Catalogue.processExporter { text += named(row.family, "") }
    return text
  }

  private static func named(_ family: Family, _ sources: String) -> String {
    let labels = family.labels.map { "`\($0)`" }.joined(separator: ", ")
    return
      "| `\(family.name)` | \(family.kind.rawValue) | \(labels) | \(sources) | \(family.help) |\n"
  }

  private static func labels(_ entry: Entry) -> String {
    entry.family.allLabels.map { "`\($0)`" }.joined(separator: ", ")
  }

  private static var json: String {
    let entries = (processEntries + targetEntries + exporterEntries)
      .sorted { $0.family.name < $1.family.name }
    let objects = entries.map { entry -> String in
      let members = [
        ("name", quoted(entry.family.name)),
        ("type", quoted(entry.family.kind.rawValue)),
        ("unit", quoted(entry.family.unit.rawValue)),
        ("help", quoted(entry.family.help)),
        ("labels", list(entry.family.allLabels)),
        ("group", entry.group.map { quoted($0.rawValue) } ?? "null"),
        ("default", entry.isDefault ? "true" : "false"),
        ("files", list(entry.sources)),
        ("over_processes", entry.over.isEmpty ? "null" : quoted(entry.over)),
        ("opentelemetry", entry.family.convention.map { quoted($0.shown) } ?? "null"),
      ]
      return "  {" + members.map { "\"\($0.0)\": \($0.1)" }.joined(separator: ", ") + "}"
    }
    return "[\n" + objects.joined(separator: ",\n") + "\n]\n"
  }

  private static func list(_ texts: [String]) -> String {
    "[" + texts.map(quoted).joined(separator: ", ") + "]"
  }

  /// The catalogue's texts are plain: a test holds that they need no escape but the quote.
  private static func quoted(_ text: String) -> String { "\"\(text)\"" }
}

extension Convention {
  /// The name, with the attribute where that tells series apart.
  fileprivate var shown: String {
    name + (attribute.map { "{\($0.name)=\($0.value)}" } ?? "")
  }
}
