import ProcFS
import Targets

/// What went through the network namespaces that a target's processes are in.
package struct NetworkSurvey {
  /// How many namespaces are remembered that no process of the target is in now.
  private static let memory = 64

  private var ledger = Ledger<UInt64, NetStatistics>(memory: memory)
  private var isKnown = false

  /// The sum over all namespaces there ever were; nil if none could be read yet.
  var traffic: NetStatistics? { isKnown ? ledger.sum : nil }

  mutating func begin() { ledger.begin() }

  mutating func visit(_ member: Member, _ target: Target, _ reader: ProcessReader) {
    guard let (namespace, statistics) = reader.netStatistics(member, target) else { return }
    isKnown = true
    ledger.note(namespace, statistics)
  }

  mutating func finish() { ledger.finish() }
}

extension NetStatistics: Cumulative {
  static var zero: Self { Self(receivedBytes: 0, sentBytes: 0) }

  static func + (left: Self, right: Self) -> Self {
    Self(
      receivedBytes: left.receivedBytes &+ right.receivedBytes,
      sentBytes: left.sentBytes &+ right.sentBytes)
  }

  func continues(_ before: Self) -> Bool {
    receivedBytes >= before.receivedBytes && sentBytes >= before.sentBytes
  }
}
