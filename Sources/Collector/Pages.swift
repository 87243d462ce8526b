import Gzip
import ProcFS

/// The pages by the names that their families have, and in all their forms.
struct Pages {
  /// Smaller pages than this are not compressed: the client would gain nothing.
  static let smallestCompressed = 1024

  private var pages: [Names: Page] = [:]
  private let compressor = Compressor()

  /// Writes pages of the same values.
  ///
  /// - Parameters:
  ///   - forms: How.
  ///   - names: By which names; nil for those of each form.
  ///   - states: The targets.
  ///   - own: What the exporter knows about itself; nil for a page of one target.
  ///   - facts: The machine's units.
  ///   - settings: Which names are usual, and how many samples a target may have.
  /// - Returns: A page for each form.
  mutating func write(
    _ forms: [Form], names: Names?, _ states: [TargetState], _ own: OwnState?, _ facts: SystemFacts,
    _ settings: CollectorSettings
  ) -> [Form: [UInt8]] {
    var plain: [Form: [UInt8]] = [:]
    var result: [Form: [UInt8]] = [:]
    var isFirst = true
    let isWhole = { (form: Form) in
      (names ?? form.names ?? settings.names) == settings.names && form.filter.isEmpty
    }
    // What is left out is counted on one page, on one that is whole if there is any, and stands on
    // all that are written then.
    for form in forms.sorted(by: { isWhole($0) && !isWhole($1) }) {
      let names = names ?? form.names ?? settings.names
      var key = form
      key.names = names
      key.isCompressed = false
      let counting: Counting = !isFirst ? .nothing : isWhole(form) ? .everything : .dropped
      isFirst = false
      let page =
        plain[key]
        ?? pages[names, default: Page(names)].write(
          key, states, own, facts, settings, counting)
      plain[key] = page
      result[form] = form.isCompressed ? compressed(page) : page
    }
    return result
  }

  /// Keeps what others of its group go on with of a target that is no longer there.
  mutating func retire(_ state: TargetState) { pages[.namedprocess]?.retire(state) }

  private func compressed(_ page: [UInt8]) -> [UInt8] {
    guard page.count >= Self.smallestCompressed, let compressor else { return page }
    return compressor.gzip(page)
  }
}
