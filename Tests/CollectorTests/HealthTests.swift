import Linux
import ProcFS
import Targets
import TestSupport
import Testing

@testable import Collector

@Suite struct HealthTests {
  private func health(_ tree: TestProc, _ targets: [TargetSettings]) throws -> Health {
    try #require(try Watch(tree, targets).outcome().health)
  }

  @Test func everyTargetHasAStatusAndTheWorstOneCounts() throws {
    let tree = try TestProc().process(7).process(8)
    let ok = try health(tree, [target("a", pid: 7), target("b", pid: 8)])
    #expect(ok.targets.map(\.name) == ["a", "b"])
    #expect(ok.targets.allSatisfy { $0.status == .ok && $0.processes == 1 })
    #expect(ok.status == .ok && ok.rights.gaps.isEmpty)

    try tree.file("io", "nonsense\n")
    let degraded = try health(tree, [target("a", pid: 7), target("b", pid: 8)])
    #expect(degraded.targets.map(\.status) == [.ok, .degraded])
    #expect(degraded.targets[1].troubles == [Trouble(.file(.io), .malformed)])
    #expect(degraded.status == .degraded)
    // No right would help.
    #expect(degraded.rights.gaps.isEmpty && degraded.rights.dropIn == nil)

    // A kernel without the file is nobody's trouble.
    tree.remove("io")
    let bare = try health(tree, [target("b", pid: 8)])
    #expect(bare.targets[0].troubles == [Trouble(.file(.io), .missing)] && bare.status == .ok)

    let failing = try health(tree, [target("a", pid: 7), target("c", pid: 9)])
    #expect(failing.targets.map(\.status) == [.ok, .failing])
    #expect(failing.status == .failing)
    #expect(try health(tree, []).status == .ok)
  }

  @Test func deniedFilesAreGapsWithTheirFamilies() throws {
    let tree = try TestProc().process(7).process(8)
    for pid in [7, 8] as [Int32] {
      tree.turn(to: pid)
      try tree.file("io", testIO(1), mode: 0)
    }
    let settings = [
      target("a", pid: 7, collect: Selection()),
      target("b", pid: 8, collect: Selection(includesDefault: false, groups: [.io])),
    ]
    let health = try asNobody { [path = tree.path] in
      try #require(
        try Watch(path, settings, limits: CollectorLimits(keptDescriptors: 0)).outcome().health)
    }
    let gap = try #require(health.rights.gaps.first)
    #expect(health.rights.gaps.count == 1)
    #expect(gap.source == "io" && gap.targets == ["a", "b"])
    #expect(gap.families.count == 7 && gap.families.contains("process_io_read_bytes_total"))
    #expect(gap.needs == [.dacReadSearch, .sysPtrace])
  }

  private func rights(_ needs: [Capability], has: Set<Capability> = []) -> Rights {
    var rights = Rights()
    rights.effective = has
    rights.gaps = [Rights.Gap(source: "x", targets: ["t"], families: [], needs: needs)]
    return rights
  }

  @Test func theDropInAddsWhatIsMissingToWhatIsThere() {
    #expect(Rights().dropIn == nil)
    #expect(
      rights([.dacReadSearch, .sysPtrace], has: [.netAdmin]).dropIn == """
        [Service]
        AmbientCapabilities=CAP_DAC_READ_SEARCH CAP_NET_ADMIN CAP_SYS_PTRACE
        CapabilityBoundingSet=CAP_DAC_READ_SEARCH CAP_NET_ADMIN CAP_SYS_PTRACE

        """)
    #expect(rights([.perfmon]).missing == [.perfmon])
    #expect(rights([.perfmon, .sysPtrace]).missing == [.sysPtrace])
    #expect(rights([.perfmon], has: [.sysPtrace]).missing == [])
    // It has the right and is denied all the same: no drop-in helps.
    #expect(rights([.sysPtrace], has: [.sysPtrace]).dropIn == nil)
    let setns = rights([.sysAdmin]).dropIn ?? ""
    #expect(setns.contains("\nRestrictNamespaces=net\nSystemCallFilter=setns\n"))
  }

  @Test(arguments: SourceFile.allCases)
  func everyFileSaysWhatItNeeds(file: SourceFile) {
    #expect(!file.needs.isEmpty)
  }
}
