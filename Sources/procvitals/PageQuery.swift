import Collector
import Config

/// What of a page a request asks for, with the parameters of client_golang and node_exporter.
///
/// - Shape: `name[]=FAMILY` leaves only those families, `collect[]=GROUP` only those groups,
///   `exclude[]=GROUP` all groups but those. Each may be repeated; other parameters are no concern of
///   this. A group that the configuration does not collect has no samples, asked for or not.
struct PageQuery {
  /// Values of one parameter in one request.
  static let valueLimit = 100
  static let parameters: Set<String> = ["name[]", "collect[]", "exclude[]"]

  let filter: Filter

  /// What is wrong with the parameters, as a sentence.
  struct Failure: Error {
    let sentence: String
  }

  init(_ query: [(name: String, value: String)]) throws(Failure) {
    var values: [String: [String]] = [:]
    for (name, value) in query where Self.parameters.contains(name) {
      values[name, default: []].append(value)
      if values[name, default: []].count > Self.valueLimit {
        throw Failure(sentence: "There are more than \(Self.valueLimit) parameters \(name).")
      }
    }
    var groups: Set<Group>?
    if let excluded = values["exclude[]"] {
      if values["collect[]"] != nil {
        throw Failure(sentence: "Combined collect and exclude queries are not allowed.")
      }
      groups = try Set(Group.allCases).subtracting(Self.groups(excluded))
    } else if let collected = values["collect[]"] {
      groups = try Set(Self.groups(collected))
    }
    filter = Filter(
      families: values["name[]"].map { Set($0) }, groups: groups,
      includesUngrouped: values["exclude[]"] != nil)
  }

  private static func groups(_ names: [String]) throws(Failure) -> [Group] {
    var groups: [Group] = []
    for name in names {
      guard let group = Group(rawValue: name) else {
        let known = Group.allCases.map(\.rawValue)
        let hint =
          suggestion(for: name, among: known).map { "did you mean \(JSON.quoted($0))?" }
          ?? "the groups are \(known.joined(separator: ", "))."
        throw Failure(sentence: "There is no group \(JSON.quoted(name)); \(hint)")
      }
      groups.append(group)
    }
    return groups
  }
}
