import Collector
import Config
import HTTPServer
import Linux
import Targets

/// What a request for `/probe` asks for.
///
/// - Shape: `target=NAME`, and further parameters that select by label where several targets have
///   the name. Of such a parameter that is given twice the first one counts; those of
///   ``PageQuery`` select nothing here.
struct ProbeQuery {
  /// Labels that one request can select by: as many as a target can have.
  private static let labelLimit = 64

  let probe: Probe

  init(_ query: [(name: String, value: String)], _ paths: WebPaths) throws(PageQuery.Failure) {
    let names = query.filter { $0.name == "target" }.map(\.value)
    guard let name = names.first, !name.isEmpty else {
      throw PageQuery.Failure(
        sentence:
          "Expected \(paths.link("/probe"))?target=NAME; \(paths.link("/sd")) lists the targets.")
    }
    if names.count > 1 {
      throw PageQuery.Failure(sentence: "The parameter target is there more than once.")
    }
    var seen = PageQuery.parameters.union(["target"])
    var labels: [TargetKey.Label] = []
    for (name, value) in query where seen.insert(name).inserted {
      if labels.count == Self.labelLimit {
        throw PageQuery.Failure(
          sentence: "Too many parameters; a target has no more than \(Self.labelLimit) labels.")
      }
      labels.append(TargetKey.Label(name: name, value: value))
    }
    probe = Probe(name: name, labels: labels)
  }
}

extension Response {
  /// The answer at `/probe`.
  ///
  /// A target without a process is 503, so that Prometheus sets `up` to 0 as if the program itself
  /// had been scraped.
  /// - Returns: The answer; nil if the target was not read in time.
  static func probe(
    _ probe: Probe, _ form: Form, _ report: Report, _ paths: WebPaths,
    _ page: ([UInt8]) -> Response
  ) -> Response? {
    let name = JSON.quoted(probe.name)
    switch report.probes[probe] {
    case .pages(let pages)?: return page(pages[form] ?? [])
    case .late?: return nil
    case .down?: return .text(.serviceUnavailable, "The target \(name) has no process.\n")
    case .ambiguous(let labels)?:
      let path = paths.link("/probe")
      let example = "\(path)?target=\(probe.name.percentEncoded)&\(labels.first ?? "")=…"
      return .text(
        .badRequest,
        "There are several targets \(name), which differ in \(labels.joined(separator: ", ")); "
          + "add what is needed to tell them apart, like \(example); \(paths.link("/sd")) lists them.\n"
      )
    case .unknown?, nil: return .text(.notFound, report.document(.probe(probe, form)))
    }
  }
}

extension Probe {
  /// Names that are looked at for one that is meant, so that a wrong one costs little.
  private static let suggestionLimit = 1000

  /// What is said where there is no such target.
  func unknown(among targets: [TargetKey], _ paths: WebPaths) -> String {
    let list = "\(paths.link("/sd")) lists them."
    if targets.contains(where: { $0.name == name }) {
      let labels = labels.map { "\($0.name)=\(JSON.quoted($0.value))" }.joined(separator: ", ")
      return "There is no target \(JSON.quoted(name)) with \(labels); \(list)\n"
    }
    let names = Set(targets.prefix(Self.suggestionLimit).map(\.name))
    let near = suggestion(for: name, among: names.sorted())
    let hint = near.map { "did you mean \(JSON.quoted($0))?" } ?? list
    return "There is no target \(JSON.quoted(name)); \(hint)\n"
  }
}
