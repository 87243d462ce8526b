import Glibc
import TestSupport
import Testing

@testable import Collector

@Suite struct InfoTests {
  private let info = Selection(includesDefault: false, groups: [.info])
  private static let id = String(repeating: "ab", count: 32)

  private func series(_ page: Page) -> [String] {
    page.samples.keys.filter { $0.hasPrefix("process_info{") }.sorted()
  }

  private func status(user: Int) -> String { "Name:\tapp\nUid:\t\(user)\t0\t0\t0\n" }

  private func users(_ tree: TestProc, _ text: String) throws {
    var files = FixtureTree()
    files.entries["etc/passwd"] = .file(Array(text.utf8), mode: 0o644)
    try files.unpack(into: tree.path)
  }

  @Test func oneSeriesForEachCombination() throws {
    let tree = try TestProc()
    let places = [
      "0::/system.slice/docker-\(Self.id).scope\n", "0::/system.slice/app.service\n",
      "4:memory:/system.slice/app.service\n0::/\n",
    ]
    for (index, place) in places.enumerated() {
      try tree.process(7 + Int32(index)).file("cgroup", place)
      try tree.file("status", status(user: 1000))
      // The old and the new file of a program that was updated while it ran.
      let mark = index == 2 ? " (deleted)" : ""
      try tree.remove("exe").add("exe", .link("/usr/bin/app\(mark)"))
    }
    try users(tree, "app:x:1000:1000::/:\n")
    let watch = try Watch(tree, [target("app", named: "app", collect: info)])
    var found = series(watch.collect())
    let wanted = [
      #"process_info{target="app",exe="/usr/bin/app",version="",user="app","#
        + #"unit="app.service",cgroup="/system.slice/app.service",container=""}"#,
      #"process_info{target="app",exe="/usr/bin/app",version="",user="app","#
        + #"unit="docker-\#(Self.id).scope",cgroup="/system.slice/docker-\#(Self.id).scope","#
        + #"container="\#(Self.id)"}"#,
    ]
    _ = eventually {
      if found == wanted { return true }
      found = series(watch.collect())
      return false
    }
    #expect(found == wanted)
    // A name that changes is seen.
    try users(tree, "renamed:x:1000:1000::/:\n")
    #expect(
      eventually {
        series(watch.collect()).allSatisfy { $0.contains(#"user="renamed""#) }
      })
  }

  @Test func moreThanTheLimitAreLeftOutAndCounted() throws {
    let tree = try TestProc()
    for user in 1...5 {
      try tree.process(Int32(user)).file("status", status(user: user))
    }
    let watch = try Watch(
      tree.path, [target("app", named: "app", collect: info)],
      limits: CollectorLimits(keptDescriptors: 0, infoSeriesPerTarget: 2))
    let page = watch.collect()
    #expect(series(page).count == 2)
    #expect(
      page[#"procvitals_unreadable_total{target="app",source="process",reason="limit"}"#] == 1)
    #expect("\(watch.notices)".contains("limits.info_series_per_target"))
  }

  @Test(.enabled(if: program("busctl") != nil, "busctl is not installed"))
  func versionOfAnInstalledProgram() throws {
    let path = try #require(program("busctl"))
    let (_, note) = try run("readelf -n '\(path)' || true")
    let tree = try TestProc().process(7).remove("exe")
    try tree.add("exe", .link(path))
    let watch = try Watch(tree, [target("app", pid: 7, collect: info)])
    var found = ""
    _ = eventually {
      found = series(watch.collect()).first ?? ""
      return !found.isEmpty
    }
    let version = found.split(separator: "version=\"")[1].split(separator: "\"").first ?? ""
    #expect(note.contains("\"version\":\"") == note.contains("\"version\":\"\(version)\""))
    #expect(found.contains("exe=\"\(path)\""))
  }

  @Test func ownProcess() throws {
    let asking = try Asking([target("app", pid: getpid(), collect: info)])
    let page = try asking.collect { !series($0).isEmpty }
    let found = try #require(series(page).first)
    var path = [CChar](repeating: 0, count: 4096)
    let count = readlink("/proc/self/exe", &path, path.count)
    let program = String(
      decoding: path.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    #expect(found.contains("exe=\"\(program)\""))
    let (code, user) = try run("id -un")
    if code == 0 { #expect(found.contains("user=\"\(user.dropLast())\"")) }
  }
}
