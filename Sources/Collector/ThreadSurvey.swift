import Metrics
import ProcFS

/// What the threads of a target's processes are doing, and what they used by name.
package struct ThreadSurvey {
  /// Threads that have a name in common.
  private struct Namesakes {
    var count: UInt64 = 0
    /// Of all that ever had the name.
    var usage = ThreadUsage()
  }

  /// Where everything is counted that has no place of its own.
  private static let other = "other"

  private var states: [ThreadState: UInt64] = [:]
  private var names: [String: Namesakes] = [:]
  private var channels: [String: UInt64] = [:]
  /// Whether the state of every thread of this collection's processes is known.
  private var knowsStates = true
  /// What could be read of some process' threads.
  private var files: SourceFiles = []
  /// What the busiest threads of former collections used, and what this one's did.
  private var formerBusiestTicks: UInt64 = 0
  private var nowBusiestTicks: UInt64 = 0

  mutating func begin() {
    states = [:]
    for name in names.keys { names[name]?.count = 0 }
    for channel in channels.keys { channels[channel] = 0 }
    knowsStates = true
    files = []
    formerBusiestTicks &+= nowBusiestTicks
    nowBusiestTicks = 0
  }

  mutating func visit(_ walk: ThreadWalk, _ limits: CollectorLimits, foldsNumbers: Bool = true) {
    if !walk.knowsStates { knowsStates = false }
    if walk.threads.isEmpty { return }
    files.formUnion(walk.files)
    for thread in walk.threads {
      if let stat = thread.stat { states[ThreadState(letter: stat.state), default: 0] += 1 }
      if let channel = thread.channel {
        let place = Self.place(of: channel, in: channels, limits.waitChannelsPerTarget)
        channels[place, default: 0] += 1
      }
      // What a thread used before its name is known counts when it is.
      guard let name = thread.name else { continue }
      let place = Self.place(
        of: Self.label(name, foldsNumbers: foldsNumbers), in: names, limits.threadNamesPerTarget)
      if thread.stat != nil { names[place, default: Namesakes()].count += 1 }
      names[place, default: Namesakes()].usage.add(thread.used)
      nowBusiestTicks = max(nowBusiestTicks, thread.used.cpuTicks)
    }
  }

  /// Names keep their places, since a counter that moved to another series would fall.
  private static func place<Value>(
    of name: String, in places: [String: Value], _ limit: Int
  ) -> String {
    if places[name] != nil { return name }
    let taken = places[other] == nil ? places.count : places.count - 1
    return taken < limit ? name : other
  }

  /// A thread's name as it is shown: threads that are numbered have one in common, if they may.
  ///
  /// - Shape: each run of digits is one `N`, if numbers are folded; bytes that are not UTF-8 and control characters are
  ///   U+FFFD; a thread without a name is `unnamed`.
  static func label(_ name: ProcessName, foldsNumbers: Bool = true) -> String {
    var label = String.UnicodeScalarView()
    var isInNumber = false
    for scalar in String(decoding: name.bytes, as: UTF8.self).unicodeScalars {
      let isDigit = foldsNumbers && ("0"..."9").contains(scalar)
      if isDigit, !isInNumber {
        label.append("N")
      } else if !isDigit {
        let isControl = scalar.value < 0x20 || 0x7F..<0xA0 ~= scalar.value
        label.append(isControl ? "\u{FFFD}" : scalar)
      }
      isInNumber = isDigit
    }
    return label.isEmpty ? "unnamed" : String(label)
  }
}

/// The samples that rows are made of.
extension ThreadSurvey {
  typealias Sample = (values: [String], reading: Reading)

  /// Every state, or none if they would not add up to the number of threads.
  var stateCounts: [Sample] {
    guard knowsStates, files.contains(.stat) else { return [] }
    return ThreadState.allCases.map { ([$0.rawValue], .whole(states[$0, default: 0])) }
  }

  var counts: [Sample] {
    guard files.contains(.stat) else { return [] }
    return names.map { ([$0.key], .whole($0.value.count)) }
  }

  var channelCounts: [Sample] {
    guard files.contains(.wchan) else { return [] }
    return channels.map { ([$0.key], .whole($0.value)) }
  }

  var busiestTicks: Reading {
    names.isEmpty ? .absent : .whole(formerBusiestTicks &+ nowBusiestTicks)
  }

  /// What threads used of a resource by name, with the value of `mode` if there is one.
  func used(_ resource: ThreadUsage.Resource, mode: String? = nil) -> [Sample] {
    names.compactMap { name, namesakes in
      namesakes.usage[resource].map { ([name] + (mode.map { [$0] } ?? []), .whole($0)) }
    }
  }
}
