import Collector

/// A figure of a target that has a line on the page.
package struct Measure: Sendable {
  enum Unit: String, Sendable {
    case cores, bytes, count
    case bytesPerSecond = "bytes_per_second"
    case perSecond = "per_second"
  }

  /// Its name in the history.
  let key: String
  let title: String
  let unit: Unit
  /// Whether it is how much a counter rises in a second.
  let isRate: Bool
  let read: @Sendable (Vitals) -> Double?

  private init(
    _ key: String, _ title: String, _ unit: Unit, isRate: Bool = false,
    read: @escaping @Sendable (Vitals) -> Double?
  ) {
    self.key = key
    self.title = title
    self.unit = unit
    self.isRate = isRate
    self.read = read
  }

  /// The first ``always`` are there for every target, those from ``onDemand`` on if somebody asks.
  static let all = [
    Measure("cpu", "CPU cores", .cores, isRate: true) { $0.cpuSeconds },
    Measure("memory", "Memory", .bytes) { $0.residentBytes },
    Measure("fds", "Descriptors", .count) { $0.openDescriptors },
    Measure("threads", "Threads", .count) { $0.threads },
    Measure("goroutines", "Goroutines", .count) { $0.goroutines },
    Measure("heap", "Go heap", .bytes) { $0.heapBytes },
    Measure("io", "Storage I/O", .bytesPerSecond, isRate: true) { $0.storageBytes },
    Measure("faults", "Major faults", .perSecond, isRate: true) { $0.majorFaults },
    Measure("switches", "Context switches", .perSecond, isRate: true) { $0.switches },
  ]
  /// The names of all of them in the history.
  package static var keys: [String] { all.map(\.key) }

  static let always = 4
  static let onDemand = 6
  static let cpu = 0
  static let memory = 1
  static let descriptors = 2

  /// What a figure may be at most, where a line can be drawn.
  static func limit(_ place: Int, _ vitals: Vitals) -> Double? {
    switch place {
    case memory: vitals.memoryLimitBytes
    // Each process has a limit of its own.
    case descriptors where vitals.processes == 1: vitals.descriptorLimit
    default: nil
    }
  }

  /// What share of its limit a figure is; of descriptors, that of the process which has most.
  static func share(_ place: Int, _ vitals: Vitals) -> Double? {
    switch place {
    case memory:
      guard let bytes = vitals.residentBytes, let limit = vitals.memoryLimitBytes, limit > 0
      else { return nil }
      return bytes / limit
    case descriptors: return vitals.descriptorRatio
    default: return nil
    }
  }
}

extension Measure.Unit {
  /// A number as people read it, with its unit.
  func words(_ number: Double) -> String {
    switch self {
    case .cores: Words.digits(number)
    case .bytes: Words.bytes(number)
    case .bytesPerSecond: Words.bytes(number) + "/s"
    case .count: Words.count(number)
    case .perSecond: Words.count(number) + "/s"
    }
  }
}

/// Numbers as people read them; the script of the page writes them the same.
enum Words {
  /// Three digits, but all of those before the point and no more than thousandths.
  static func digits(_ number: Double) -> String {
    guard number.isFinite, number.magnitude < 1e15 else { return "–" }
    if number == 0 { return "0" }
    let places = number < 0.0995 ? 3 : number < 9.995 ? 2 : number < 99.95 ? 1 : 0
    let scale = [1.0, 10, 100, 1000][places]
    let whole = Int64((number * scale).rounded())
    if places == 0 { return String(whole) }
    let rest = String(whole.magnitude % UInt64(scale))
    let zeros = String(repeating: "0", count: places - rest.utf8.count)
    return "\(whole < 0 ? "-" : "")\(whole.magnitude / UInt64(scale)).\(zeros)\(rest)"
  }

  static func bytes(_ number: Double) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"]
    var (value, unit) = (number, 0)
    while value >= 1000, unit + 1 < units.count { (value, unit) = (value / 1024, unit + 1) }
    return (unit == 0 ? String(Int64(value)) : digits(value)) + " " + units[unit]
  }

  static func count(_ number: Double) -> String {
    if number < 10_000 {
      return number == number.rounded() ? String(Int64(number)) : digits(number)
    }
    return number < 999_500 ? digits(number / 1e3) + " k" : digits(number / 1e6) + " M"
  }

  static func seconds(_ number: Double) -> String {
    number < 0.9995
      ? "\(digits(number * 1000)) ms" : number < 60 ? "\(digits(number)) s" : age(number)
  }

  /// A duration by its two largest units.
  static func age(_ number: Double) -> String {
    let seconds = Int64(max(0, min(number, 1e12)))
    let (days, hours, minutes) = (seconds / 86400, seconds / 3600 % 24, seconds / 60 % 60)
    if days > 0 { return "\(days) d \(hours) h" }
    if hours > 0 { return "\(hours) h \(minutes) min" }
    if minutes > 0 { return "\(minutes) min \(seconds % 60) s" }
    return "\(seconds) s"
  }

  static func percent(_ share: Double) -> String {
    share > 0 && share < 0.005 ? "< 1 %" : String(Int64((min(share, 1e6) * 100).rounded())) + " %"
  }

  /// Both ends of a range, which is written once if both are the same; so is the unit.
  static func range(_ low: String, _ high: String, _ joint: String) -> String {
    if low == high { return low }
    let (first, last) = (low.split(separator: " "), high.split(separator: " "))
    return (first.count == 2 && first.last == last.last ? String(first[0]) : low) + joint + high
  }
}
