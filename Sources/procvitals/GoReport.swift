import GoRuntime

/// What `inspect` prints of a Go program's runtime.
struct GoReport {
  let finding: GoFinding
  /// Wall-clock time of the sample, nanoseconds since 1970.
  let now: Int64
  /// CPUs of the machine.
  let processors: Int

  private var sample: GoSample { finding.sample }

  /// Sections of a heading and lines of a name and a text each.
  var sections: [InspectSection] {
    var sections = [InspectSection("Go runtime", runtime)]
    switch sample.heap {
    case .success(let heap):
      sections.append(InspectSection("Go heap", self.heap(heap)))
      sections.append(InspectSection("Go stacks and other memory", others(heap)))
    case .failure(let refusal): sections.append(Self.refused("Go heap", refusal))
    }
    switch sample.collector {
    case .success(let collector):
      sections.append(InspectSection("Go garbage collection", collection(collector)))
      if !collector.pauses.isEmpty {
        sections.append(
          InspectSection(
            "Go pauses of the last \(collector.pauses.count) cycles", pauses(collector)))
      }
      sections.append(InspectSection("Go tuning", tuning(collector)))
    case .failure(let refusal): sections.append(Self.refused("Go garbage collection", refusal))
    }
    return sections
  }

  private static func refused(_ heading: String, _ refusal: Refusal) -> InspectSection {
    InspectSection(heading, [("not given", "\(refusal)")])
  }

  private var runtime: [InspectSection.Line] {
    let machine =
      switch finding.machine {
      case .amd64: "amd64"
      case .arm64: "arm64"
      }
    var lines = [
      ("version", printable(sample.version)), ("platform", "linux/\(machine)"),
      ("CPUs", "\(processors)"),
    ]
    switch sample.scheduler {
    case .success(let figures):
      lines += [
        ("goroutines", "\(figures.goroutines)"), ("threads", "\(figures.threads)"),
        ("GOMAXPROCS", "\(figures.processors)"),
      ]
      if case .success(let heap) = sample.heap, figures.goroutines > 0 {
        lines.append(
          ("stack per goroutine", Quantity.bytes(heap.stacksInUse / figures.goroutines)))
      }
    case .failure(let refusal): lines.append(("not given", "\(refusal)"))
    }
    return lines
  }

  private func heap(_ heap: HeapFigures) -> [InspectSection.Line] {
    var lines = [
      ("objects", Quantity.bytes(heap.allocated)), ("in use by spans", Quantity.bytes(heap.inUse)),
      ("idle", Quantity.bytes(heap.idle)), ("of it returned", Quantity.bytes(heap.released)),
      ("obtained", Quantity.bytes(heap.heapSys)), ("live objects", "\(heap.objects)"),
    ]
    if heap.objects > 0 {
      lines.append(("average object", Quantity.bytes(heap.allocated / heap.objects)))
    }
    if heap.heapSys > 0 {
      lines.append(
        ("efficiency", Quantity.percent(Double(heap.allocated) / Double(heap.heapSys))))
    }
    if heap.allocated > 0 {
      lines.append(
        (
          "fragmentation",
          Quantity.percent(
            max(0, Double(heap.inUse) - Double(heap.allocated)) / Double(heap.allocated))
        ))
    }
    lines += [
      ("allocated so far", Quantity.bytes(heap.allocatedBytes)),
      ("allocations", "\(heap.mallocs)"), ("frees", "\(heap.frees)"),
    ]
    return lines
  }

  private func others(_ heap: HeapFigures) -> [InspectSection.Line] {
    [
      ("stacks", "\(Quantity.bytes(heap.stacksInUse)) of \(Quantity.bytes(heap.stackSys))"),
      ("spans", "\(Quantity.bytes(heap.spansInUse)) of \(Quantity.bytes(heap.spansSys))"),
      ("caches", "\(Quantity.bytes(heap.cachesInUse)) of \(Quantity.bytes(heap.cachesSys))"),
      ("profiling", Quantity.bytes(heap.buckHashSys)),
      ("garbage collector", Quantity.bytes(heap.gcSys)), ("other", Quantity.bytes(heap.otherSys)),
      ("all obtained", Quantity.bytes(heap.sys)),
    ]
  }

  private func collection(_ figures: CollectorFigures) -> [InspectSection.Line] {
    var lines = [("cycles", "\(figures.cycles), \(figures.forcedCycles) of them forced")]
    if figures.cycles > 0 {
      let end = Int64(clamping: figures.lastEnd)
      let age = Quantity.duration(nanoseconds: UInt64(clamping: now &- end))
      lines += [
        ("last", "\(Quantity.moment(end)), \(age) ago"),
        ("pauses", Quantity.duration(nanoseconds: figures.pauseTotal) + " in all"),
        ("average pause", Quantity.duration(nanoseconds: figures.averagePause)),
      ]
    }
    lines.append(("share of the CPU", Quantity.percent(figures.cpuFraction)))
    if case .success(let heap) = sample.heap {
      lines.append(("next at a heap of", heap.goal == .max ? "never" : Quantity.bytes(heap.goal)))
    }
    return lines
  }

  private func pauses(_ figures: CollectorFigures) -> [InspectSection.Line] {
    let sorted = figures.pauses.sorted()
    func text(_ index: Int) -> String { Quantity.duration(nanoseconds: sorted[index]) }
    var lines = [("least", text(0))]
    for share in [50, 90, 99] { lines.append(("p\(share)", text(sorted.count * share / 100))) }
    let sum = sorted.reduce(0, &+)
    return lines + [
      ("most", text(sorted.count - 1)),
      ("average", Quantity.duration(nanoseconds: sum / UInt64(sorted.count))),
    ]
  }

  private func tuning(_ figures: CollectorFigures) -> [InspectSection.Line] {
    var lines = [
      ("GOGC", figures.percent < 0 ? "off" : "\(figures.percent)"),
      (
        "GOMEMLIMIT",
        figures.memoryLimit == .max ? "not set" : Quantity.bytes(UInt64(figures.memoryLimit))
      ),
    ]
    for variable in finding.variables {
      lines.append(("\(variable.name) as set", printable(variable.value)))
    }
    if figures.cpuFraction > 0.05 {
      lines.append(
        ("hint", "collecting takes more than 5 % of the CPU: raise GOGC, or allocate less"))
    }
    if figures.averagePause > 1_000_000 {
      lines.append(("hint", "pauses last more than 1 ms on average: keep fewer objects alive"))
    }
    guard case .success(let heap) = sample.heap else { return lines }
    if figures.cycles > 0 {
      lines.append(
        ("allocated per cycle", Quantity.bytes(heap.allocatedBytes / figures.cycles)))
    }
    if heap.allocated > 0, heap.goal != .max {
      lines.append(
        (
          "next cycle at",
          Quantity.decimal(Double(heap.goal) / Double(heap.allocated)) + " times the heap"
        ))
    }
    if heap.inUse > 0 {
      let ratio = Double(heap.idle) / Double(heap.inUse)
      lines.append(("idle per byte in use", Quantity.decimal(ratio)))
      if ratio > 2, heap.idle > heap.released {
        lines.append(
          ("hint", "much of the heap is idle: debug.FreeOSMemory() or GOMEMLIMIT give it back"))
      }
    }
    return lines
  }
}

/// A part of what `inspect` prints.
struct InspectSection: Equatable {
  typealias Line = (name: String, text: String)

  let heading: String
  let lines: [Line]

  init(_ heading: String, _ lines: [Line]) {
    self.heading = heading
    self.lines = lines
  }

  static func == (left: InspectSection, right: InspectSection) -> Bool {
    left.heading == right.heading && left.lines.elementsEqual(right.lines, by: ==)
  }
}
