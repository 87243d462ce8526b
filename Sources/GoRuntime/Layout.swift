/// What a program was compiled for, as far as layouts are known.
package enum Machine: Sendable { case amd64, arm64 }

/// Where the Go runtime of one minor version keeps what is read, on one machine; see ``Field``.
///
/// Patch releases of a version agree in all fields but those whose documentation says otherwise.
struct Layout: Sendable {
  /// 21 for Go 1.21.
  let minor: Int
  let machine: Machine
  private let values: [UInt32]

  init(minor: Int, machine: Machine, values: [UInt32]) {
    self.minor = minor
    self.machine = machine
    self.values = values
  }

  /// What stands in the table where a version has no such field.
  static let absent = UInt32.max

  /// The number of a field that every version has.
  subscript(_ field: Field) -> Int { Int(values[field.rawValue]) }

  /// The number of a field; nil where this version has none.
  func ifPresent(_ field: Field) -> Int? {
    let value = values[field.rawValue]
    return value == Self.absent ? nil : Int(value)
  }

  /// The layout of a version.
  ///
  /// - Returns: The layout, that of the newest known version for one that is newer still; nil for
  ///   versions and machines without one.
  static func of(minor: Int, _ machine: Machine) -> Layout? {
    let candidates = all.filter { $0.machine == machine }
    if let newest = candidates.last, minor > newest.minor { return newest }
    return candidates.first { $0.minor == minor }
  }
}
