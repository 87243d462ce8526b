import Collector

extension History.Entry {
  /// A word for how the target is, as far as that follows from more than its last figures too, and
  /// a sign that does without colour.
  var state: (sign: String, word: String) {
    let (sign, word) = vitals.state
    if word == "permission denied" { return (sign, word) }
    if isRestarting { return (sign == "●" ? "▲" : sign, "restarting") }
    return word == "incomplete" && vitals.isAmbiguous ? (sign, "ambiguous") : (sign, word)
  }

  /// "1 running, 3 sleeping".
  var stateWords: String {
    vitals.states.map { state in
      let name = state.name.utf8.map { $0 == UInt8(ascii: "_") ? UInt8(ascii: " ") : $0 }
      return "\(state.count) \(String(decoding: name, as: UTF8.self))"
    }.joined(separator: ", ")
  }
}
