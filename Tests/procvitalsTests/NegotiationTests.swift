import Collector
import Gzip
import Metrics
import Testing

@testable import HTTPServer
@testable import procvitals

/// What stands for long types, written out.
private func written(_ text: String) -> String {
  text.replacing("OMTYPE", with: omType).replacing("PBTYPE", with: protoType)
    .replacing("OM", with: om).replacing("PB", with: proto)
}

/// Members as the server understands them: `value;name=value;q=0.5`, without its errors.
private func members(_ accept: String) -> [Preference] {
  written(accept).split(separator: ",").map { member in
    var parts = member.split(separator: ";").map { $0.filter { $0 != " " } }
    let value = parts.removeFirst().lowercased()
    var quality = 1.0
    var parameters: [(name: String, value: String)] = []
    for part in parts {
      let pair = part.split(separator: "=", maxSplits: 1).map(String.init)
      if pair[0] == "q" {
        quality = Double(pair[1]) ?? 1
      } else {
        parameters.append((pair[0], pair[1]))
      }
    }
    return Preference(value: value, parameters: parameters, quality: Int(quality * 1000))
  }
}

private let om = "application/openmetrics-text"
private let proto =
  "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"
private let textType = "text/plain; version=0.0.4; charset=utf-8"
private let omType = "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping="
private let protoType =
  "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"

@Suite struct NegotiationTests {
  /// What real servers send (section 3), and what they are answered.
  @Test(arguments: [
    // Prometheus 2.42, without and with native histograms
    (
      "OM;version=1.0.0,OM;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
      "OMTYPEunderscores"
    ),
    (
      "PB,OM;version=1.0.0;q=0.8,OM;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
      "PBTYPE"
    ),
    // 2.53
    (
      "OM;version=1.0.0;q=0.5,OM;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
      "OMTYPEunderscores"
    ),
    (
      "PB;q=0.5,OM;version=1.0.0;q=0.4,OM;version=0.0.1;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1",
      "PBTYPE"
    ),
    // 3.5, with names of UTF-8, with old ones, with native histograms
    (
      "OM;version=1.0.0;escaping=allow-utf-8;q=0.6,OM;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
      "OMTYPEallow-utf-8"
    ),
    (
      "OM;version=1.0.0;escaping=underscores;q=0.6,OM;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=underscores;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
      "OMTYPEunderscores"
    ),
    (
      "PB;escaping=allow-utf-8;q=0.6,OM;version=1.0.0;escaping=allow-utf-8;q=0.5",
      "PBTYPE; escaping=allow-utf-8"
    ),
  ])
  func N1_realServers(_ accept: String, _ contentType: String) {
    #expect(Negotiation(members(accept)).contentType == written(contentType))
  }

  @Test(
    arguments: [
      // N1: the highest weight, then the order of the field
      ("OM;version=1.0.0;q=0.1,text/plain;q=0.2", .text),
      ("text/plain;version=0.0.4,OM;version=1.0.0", .text),
      ("OM;version=1.0.0,text/plain;version=0.0.4", .openMetrics1),
      ("text/plain;version=1.0.0,text/plain;version=0.0.4", .text1),
      ("OM;version=1.0.0;q=0,text/plain", .text),
      ("OM;version=1.0.0;q=0,*/*", .text), ("text/plain;q=0,*/*", .openMetrics1),
      ("text/plain;version=0.0.4;q=0,text/plain", .text1),
      ("text/plain;q=0.1,text/plain;q=0.9,OM;q=0.5", .text),
      // N2: versions that there are, and others
      ("OM;version=0.0.1", .openMetrics0), ("OM", .openMetrics1),
      ("OM;version=2.0.0", .text),
      ("OM;version=2.0.0,OM;version=0.0.1;q=0.1", .openMetrics0),
      ("text/plain;version=1.0.0", .text1), ("text/plain;version=9", .text), ("text/plain", .text),
      ("text/plain;version=9,OM;q=0.1", .openMetrics1), ("OM;charset=utf-8", .openMetrics1),
      ("PB", .protobuf), ("PB;q=0", .text),
      ("application/vnd.google.protobuf", .text),
      (
        "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=text",
        .text
      ),
      ("application/vnd.google.protobuf;proto=other;encoding=delimited", .text),
      // N3: nobody is refused
      ("", .text), ("*/*", .text), ("text/*", .text), ("application/json", .text), ("a", .text),
      ("application/*", .openMetrics1), ("*/*;q=0", .text), ("text/html,*/*;q=0.8", .text),
      ("text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8", .text),
      ("te/*", .text), ("text/plain-text", .text), ("image/*,OM;q=0.1", .openMetrics1),
    ] as [(String, Metrics.Format)])
  func N1_N2_N3_formats(_ accept: String, _ format: Metrics.Format) {
    #expect(Negotiation(members(accept)).format == format)
  }

  @Test(
    arguments: [
      ("OM;version=1.0.0;escaping=allow-utf-8", .allowUTF8),
      ("OM;version=1.0.0;escaping=values", .values),
      ("OM;version=1.0.0;escaping=underscores", .underscores),
      // Doubled underscores would be other names: it says what it did instead.
      ("OM;version=1.0.0;escaping=dots", .underscores),
      ("OM;version=1.0.0;escaping=x", .underscores), ("OM;version=1.0.0", .underscores),
      ("text/plain;version=1.0.0;escaping=allow-utf-8", .allowUTF8),
      ("text/plain;version=1.0.0", .underscores),
      ("text/plain;version=0.0.4;escaping=allow-utf-8", nil), ("OM;version=0.0.1", nil),
      ("PB", nil), ("PB;escaping=dots", .underscores),
      ("PB;escaping=underscores", .underscores), ("*/*;escaping=values", nil),
    ] as [(String, Escaping?)])
  func N4_escaping(_ accept: String, _ escaping: Escaping?) {
    #expect(Negotiation(members(accept)).escaping == escaping)
  }

  @Test func N5_contentTypeIsThere() {
    for format in Metrics.Format.allCases where format != .json {
      for escaping in Escaping.allCases.map(Optional.some) + [nil] {
        let type = format.contentType(escaping: escaping)
        #expect(
          ["text/plain;", om + ";", "application/vnd.google.protobuf;"].contains {
            type.hasPrefix($0)
          })
      }
    }
    #expect(Negotiation([]).contentType == textType)
  }

  @Test func N6_N8_H26_fieldsOfAPage() throws {
    func fields(_ page: [UInt8]) -> [String: String] {
      let response = Response.metrics(page, Negotiation([]), start: 1_700_000_000)
      #expect(response.body == page && response.status == .ok)
      return Dictionary(uniqueKeysWithValues: response.fields.map { ($0.name, $0.value) })
    }
    let plain = [
      "Content-Type": textType, "Vary": "Accept, Accept-Encoding", "Cache-Control": "no-store",
      "X-Content-Type-Options": "nosniff", "Process-Start-Time-Unix": "1700000000",
    ]
    #expect(fields(Array("# HELP a\n".utf8)) == plain)
    let compressor = try #require(Compressor())
    let member = compressor.gzip([UInt8](repeating: 65, count: 2000))
    #expect(fields(member) == plain.merging(["Content-Encoding": "gzip"]) { $1 })
  }
}

@Suite struct PageQueryTests {
  private func filter(_ query: KeyValuePairs<String, String>) throws -> Filter {
    try PageQuery(query.map { ($0.key, $0.value) }).filter
  }

  private func complaint(_ query: KeyValuePairs<String, String>) -> String? {
    do {
      _ = try filter(query)
      return nil
    } catch {
      return (error as? PageQuery.Failure)?.sentence
    }
  }

  @Test func N7_filters() throws {
    #expect(try filter([:]) == Filter())
    #expect(try filter(["x": "y", "names": "process", "name": "a"]) == Filter())
    #expect(try filter(["name[]": "up"]) == Filter(families: ["up"]))
    #expect(
      try filter(["name[]": "up", "x": "", "name[]": "é b", "name[]": "up"])
        == Filter(families: ["up", "é b"]))
    #expect(try filter(["name[]": ""]) == Filter(families: [""]))
    #expect(
      try filter(["collect[]": "io", "collect[]": "cpu", "collect[]": "io"])
        == Filter(groups: [.io, .cpu]))
    #expect(
      try filter(["exclude[]": "io", "exclude[]": "cpu"])
        == Filter(
          groups: Set(Group.allCases).subtracting([.io, .cpu]), includesUngrouped: true))
    #expect(
      try filter(["collect[]": "io", "name[]": "a"]) == Filter(families: ["a"], groups: [.io]))
  }

  @Test func N7_refusals() {
    let both = "Combined collect and exclude queries are not allowed."
    #expect(complaint(["collect[]": "io", "exclude[]": "cpu"]) == both)
    #expect(complaint(["exclude[]": "", "collect[]": ""]) == both)
    #expect(complaint(["collect[]": "cpuu"]) == "There is no group \"cpuu\"; did you mean \"cpu\"?")
    #expect(
      complaint(["exclude[]": "thread"])
        == "There is no group \"thread\"; did you mean \"threads\"?")
    for wrong in ["", "CPU ", "xyzzyxyzzy", "default\n"] {
      #expect(
        complaint(["collect[]": "io", "collect[]": wrong])?.hasPrefix("There is no group") == true)
    }
    #expect(
      complaint(["collect[]": "xyzzyxyzzy"])?.contains("the groups are core, cpu, memory") == true)
  }

  @Test func N7_numbersAreBounded() throws {
    func query(_ count: Int) -> [(name: String, value: String)] {
      (0..<count).map { ("name[]", "f\($0)") }
    }
    #expect(try PageQuery(query(100)).filter.families?.count == 100)
    #expect(throws: PageQuery.Failure.self) { try PageQuery(query(101)) }
  }
}
