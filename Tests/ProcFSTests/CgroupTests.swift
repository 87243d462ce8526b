import Testing

@testable import ProcFS

@Suite struct CgroupTests {
  private func cgroup(_ text: String) throws(ParseError) -> Cgroup {
    try parse(text) { bytes throws(ParseError) in try Cgroup(bytes) }
  }

  @Test(arguments: [
    ("0::/\n", "/"), ("0::/system.slice/nginx.service\n", "/system.slice/nginx.service"),
    ("0::/a:b/c d", "/a:b/c d"), ("0::/gone (deleted)\n", "/gone (deleted)"),
    ("0::/../../other\n", "/../../other"), ("0::\n", ""),
  ])
  func versionTwo(text: String, path: String) throws {
    let cgroup = try cgroup(text)
    #expect(cgroup.unifiedPath == path)
    #expect(cgroup.hierarchies.isEmpty)
  }

  @Test func versionOne() throws {
    let cgroup = try cgroup("12:cpu,cpuacct:/docker/abc\n10:memory:/x:y\n1:name=systemd:/\n")
    #expect(cgroup.unifiedPath == nil)
    #expect(cgroup.hierarchies.map(\.controllers) == ["cpu,cpuacct", "memory", "name=systemd"])
    #expect(cgroup.hierarchies.map(\.path) == ["/docker/abc", "/x:y", "/"])
  }

  @Test func hybrid() throws {
    let cgroup = try cgroup("4:memory:/m\n1:name=systemd:/s\n0::/u\n")
    #expect(cgroup.unifiedPath == "/u")
    #expect(cgroup.hierarchies.map(\.path) == ["/m", "/s"])
  }

  @Test func onlyHierarchyZeroWithoutControllersIsVersionTwo() throws {
    let cgroup = try cgroup("10::/ten\n0:memory:/zero\n00::/x\n")
    #expect(cgroup.unifiedPath == nil)
    #expect(cgroup.hierarchies.map(\.path) == ["/ten", "/zero", "/x"])
  }

  @Test func pathsThatAreNoText() throws {
    let bytes = Array("0::/".utf8) + [0xFF, 0x0A]
    let cgroup = try parse(bytes) { bytes throws(ParseError) in try Cgroup(bytes) }
    #expect(cgroup.unifiedPath == "/\u{FFFD}")
  }

  @Test func noCgroups() throws {
    let cgroup = try cgroup("")
    #expect(cgroup.unifiedPath == nil && cgroup.hierarchies.isEmpty)
  }

  @Test(arguments: ["0", "0:", "0:/x\n", "\n", "0::/\n\n", "0::/\nx\n"])
  func linesWithoutTwoColons(text: String) {
    #expect(throws: ParseError(field: "cgroup")) { try cgroup(text) }
  }

  @Test(
    arguments: [
      ("0::/\n", "/"), ("0::/a\n", "/a"), ("4:memory:/m\n1:name=systemd:/s\n0::/\n", "/m"),
      ("4:memory:/\n1:name=systemd:/s\n0::/\n", "/s"), ("4:memory:/m\n0::/u\n", "/u"),
      ("4:cpu,memory:/m\n", "/m"), ("4:memory:/\n", "/"), ("4:cpu:/c\n", nil), ("", nil),
      ("0::\n4:memory:/m\n", "/m"), ("4:hugememory:/h\n", nil),
    ] as [(String, String?)])
  func pathThatSaysMost(text: String, path: String?) throws {
    #expect(try cgroup(text).path == path)
  }
}
