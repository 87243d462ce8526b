/// The word that was probably meant, if one of the known words is near enough.
///
/// Near are words that differ in case and in at most a third of their letters.
package func suggestion(for word: String, among known: [String]) -> String? {
  if word.utf8.count > Limits.suggestionBytes { return nil }
  let typed = Array(word.lowercased().utf8)
  var best: (word: String, distance: Int)?
  for candidate in known {
    let allowed = max(1, min(typed.count, candidate.utf8.count) / 3)
    // Lengths that differ by more need no comparison; a change of case may change them a little.
    if abs(typed.count - candidate.utf8.count) > 2 * allowed + 2 { continue }
    let distance = editDistance(typed, Array(candidate.lowercased().utf8))
    if distance <= allowed, distance < best?.distance ?? Int.max { best = (candidate, distance) }
  }
  return best?.word
}

/// How many bytes are inserted, deleted, replaced or swapped with their neighbour between two texts
/// (optimal string alignment).
func editDistance(_ left: [UInt8], _ right: [UInt8]) -> Int {
  var beforeLast: [Int] = []
  var last = Array(0...right.count)
  for i in left.indices {
    var row = [i + 1]
    for j in right.indices {
      var cost = min(row[j] + 1, last[j + 1] + 1, last[j] + (left[i] == right[j] ? 0 : 1))
      if i > 0, j > 0, left[i] == right[j - 1], left[i - 1] == right[j] {
        cost = min(cost, beforeLast[j - 1] + 1)
      }
      row.append(cost)
    }
    beforeLast = last
    last = row
  }
  return last[right.count]
}
