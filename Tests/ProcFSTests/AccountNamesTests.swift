import TestSupport
import Testing

@testable import ProcFS

@Suite struct UserNamesTests {
  @Test func namesAndNumbers() {
    let text = """
      root:x:0:0:root:/root:/bin/bash
      # a comment
      toor:x:0:0::/:
      app:x:1000:1000::/home/app:/bin/sh
      :x:7:7::/:
      short:x
      no:x:number:0::/:
      huge:x:4294967296:0::/:
      +@netgroup::::::
      last:x:65534:65534
      """
    let names = UserNames(Array(text.utf8).span)
    #expect(names.name(0) == "root")
    #expect(names.name(1000) == "app")
    #expect(names.name(65534) == "last")
    for user in [7, 8, UInt32.max] { #expect(names.name(user) == "\(user)") }
  }

  @Test func fileIsReadWhenItHasChanged() throws {
    let directory = try TemporaryDirectory()
    let path = directory.path + "/passwd"
    #expect(UserNames().ifChanged(path)?.name(5) == "5")
    try writeFile(path, Array("a:x:5:5::/:\n".utf8))
    let first = try #require(UserNames().ifChanged(path))
    #expect(first.name(5) == "a")
    #expect(first.ifChanged(path) == nil)
    try writeFile(path, Array("longer:x:5:5::/:\n".utf8))
    let second = try #require(first.ifChanged(path))
    #expect(second.name(5) == "longer")
    removeTree(path)
    #expect(second.ifChanged(path)?.name(5) == "5")
  }

  @Test func ofThisMachineAsIdSays() throws {
    let (code, output) = try run("id -un 0")
    if code == 0 {
      let names = UserNames().ifChanged("/etc/passwd")
      #expect(names.map { $0.name(0) + "\n" } == output)
    }
  }
}
