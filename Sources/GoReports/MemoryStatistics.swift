package import GoRuntime

extension GoSample {
  /// Bytes of a number or name of `runtime.MemStats`, all of which are shorter.
  private static let wordLimit = 32
  /// Numbers of the object that are looked at; the runtime has about 30.
  private static let numberLimit = 128
  /// How many pauses the runtime keeps.
  private static let pauses = 256

  /// What Go's package expvar tells at `/debug/vars`: `runtime.MemStats` has all of memory and of the
  /// collector but for the settings, and nothing of the scheduler.
  ///
  /// - Parameter body: The whole answer.
  /// - Throws: That it is not what expvar would answer.
  package init(expvar body: [UInt8]) throws(Refusal) {
    var statistics: MemoryStatistics?
    var scanner = JSONScanner(body)
    do throws(JSONError) {
      try scanner.document { name, scanner throws(JSONError) in
        let isIt = scanner.next == UInt8(ascii: "{") && body[name].elementsEqual("memstats".utf8)
        guard isIt else {
          try scanner.value()
          return
        }
        statistics = try MemoryStatistics(&scanner)
      }
    } catch {
      throw .inconsistent("not JSON from byte \(error.offset) on")
    }
    guard let statistics else { throw .inconsistent("no object memstats") }
    self.init(
      version: "", heap: Result { () throws(Refusal) in try HeapFigures(statistics.whole) },
      scheduler: .failure(.notTold),
      collector: Result { () throws(Refusal) in try statistics.collector() })
  }

  /// The members of the object.
  private struct MemoryStatistics {
    private let bytes: [UInt8]
    /// Where numbers stand.
    private var numbers: [String: Range<Int>] = [:]
    /// The length of all pauses that are kept, in the order of the runtime.
    private var pauses: [Range<Int>] = []

    init(_ scanner: inout JSONScanner) throws(JSONError) {
      bytes = scanner.bytes
      var numbers: [String: Range<Int>] = [:]
      var pauses: [Range<Int>] = []
      try scanner.object { name, scanner throws(JSONError) in
        let first = scanner.next
        if first == UInt8(ascii: "["), scanner.bytes[name].elementsEqual("PauseNs".utf8) {
          pauses = []
          try scanner.array { scanner throws(JSONError) in
            let place = try scanner.value()
            if pauses.count <= GoSample.pauses, place.count <= GoSample.wordLimit {
              pauses.append(place)
            }
          }
        } else {
          let place = try scanner.value()
          if first == UInt8(ascii: "-") || (0x30...0x39).contains(first),
            name.count <= GoSample.wordLimit, place.count <= GoSample.wordLimit,
            numbers.count < GoSample.numberLimit
          {
            numbers[String(decoding: scanner.bytes[name], as: UTF8.self)] = place
          }
        }
      }
      (self.numbers, self.pauses) = (numbers, pauses)
    }

    func collector() throws(Refusal) -> CollectorFigures {
      var collector = CollectorFigures()
      collector.cycles = try whole("NumGC")
      collector.forcedCycles = try whole("NumForcedGC")
      collector.lastEnd = try whole("LastGC")
      collector.pauseTotal = try whole("PauseTotalNs")
      let fraction = numbers["GCCPUFraction"].flatMap { Double(text($0)) }
      guard let fraction, (0...1).contains(fraction) else {
        throw .inconsistent("memstats has no GCCPUFraction from 0 to 1")
      }
      collector.cpuFraction = fraction
      (collector.percent, collector.memoryLimit) = (-1, .max)
      guard pauses.count == GoSample.pauses else {
        throw .inconsistent("memstats does not have \(GoSample.pauses) numbers PauseNs")
      }
      let latest = min(collector.cycles, UInt64(GoSample.pauses))
      for back in 1..<(latest + 1) {
        let place = pauses[Int((collector.cycles - back) % UInt64(GoSample.pauses))]
        guard let pause = UInt64(text(place)) else {
          throw .inconsistent("memstats has no whole number in PauseNs")
        }
        collector.pauses.append(pause)
      }
      return collector
    }

    private func text(_ place: Range<Int>) -> String {
      String(decoding: bytes[place], as: UTF8.self)
    }

    func whole(_ name: String) throws(Refusal) -> UInt64 {
      guard let number = numbers[name].flatMap({ UInt64(text($0)) }) else {
        throw .inconsistent("memstats has no whole number \(name)")
      }
      return number
    }
  }
}

extension HeapFigures {
  /// What the fields of `runtime.MemStats` say.
  ///
  /// - Parameter field: Tells one by its name.
  /// - Throws: What that throws, or that the fields do not agree with each other.
  init(_ field: (String) throws(Refusal) -> UInt64) throws(Refusal) {
    self.init()
    allocatedBytes = try field("TotalAlloc")
    freedBytes = allocatedBytes &- (try field("HeapAlloc"))
    // Tiny ones are among them.
    allocatedObjects = try field("Mallocs")
    freedObjects = try field("Frees")
    inUse = try field("HeapInuse")
    released = try field("HeapReleased")
    free = try field("HeapIdle") &- released
    stacksInUse = try field("StackInuse")
    stacksSys = try field("StackSys") &- stacksInUse
    spansInUse = try field("MSpanInuse")
    spansSys = try field("MSpanSys")
    cachesInUse = try field("MCacheInuse")
    cachesSys = try field("MCacheSys")
    buckHashSys = try field("BuckHashSys")
    gcSys = try field("GCSys")
    otherSys = try field("OtherSys")
    sys = try field("Sys")
    goal = try field("NextGC")
    // What follows from others must be what the program says.
    guard try field("Alloc") == allocated, try field("HeapObjects") == objects,
      try field("HeapSys") == heapSys
    else { throw .inconsistent("figures of memory do not agree with each other") }
  }
}
