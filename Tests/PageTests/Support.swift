import Collector
import Targets

@testable import Page

/// A target with figures that do not matter.
func vitals(_ name: String, cpu: Double? = 0, memory: Double? = 1_048_576) -> Vitals {
  var vitals = Vitals(key: TargetKey(name: name), status: .ok)
  vitals.processes = 1
  vitals.pids = [7]
  vitals.command = "app"
  vitals.startSeconds = 1_750_000_000
  vitals.cpuSeconds = cpu
  vitals.residentBytes = memory
  vitals.openDescriptors = 10
  vitals.descriptorLimit = 100
  vitals.descriptorRatio = 0.1
  vitals.threads = 2
  return vitals
}

/// When the first look of the tests is, in seconds since 1970.
let begin = 1_750_001_000.0

/// A history of a target whose memory has these sizes, every two seconds; nil where it is not known.
func history(_ sizes: [Double?]) -> History {
  var history = History()
  for (index, size) in sizes.enumerated() {
    history.add(
      Sight(
        seconds: begin + Double(index) * 2,
        targets: [vitals("a", cpu: Double(index), memory: size)]))
  }
  return history
}

let around: Surroundings = {
  var around = Surroundings(links: .init(prefix: "", metrics: "/metrics"))
  around.version = "1.2.3"
  around.host = "db1"
  around.startSeconds = begin - 100
  return around
}()

func page(_ history: History, _ surroundings: Surroundings = around, span: Int = 300) -> String {
  let look = Look(.page, span: span, access: Access(address: "h:9656"))
  return String(
    decoding: PageText.write(history, surroundings, look, at: begin + 60), as: UTF8.self)
}

extension History {
  /// A target's figure at each moment.
  func column(_ id: Int, _ place: Int, since: Int64? = nil) -> [Float?] {
    var values: [Float?] = []
    frames(of: 900, since: since).walk(id, place) { values.append($1.isNaN ? nil : $1) }
    return values
  }
}
