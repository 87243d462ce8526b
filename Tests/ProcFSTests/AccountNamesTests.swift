import TestSupport
import Testing

@testable import ProcFS

@Suite struct AccountNamesTests {
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
    let names = AccountNames(Array(text.utf8).span)
    #expect(names.name(0) == "root")
    #expect(names.name(1000) == "app")
    #expect(names.name(65534) == "last")
    for user in [7, 8, UInt32.max] { #expect(names.name(user) == "\(user)") }
  }

  @Test func groupsHaveTheSameShape() {
    let text = "root:x:0:\nadm:*:4:a,b\nshort:x:5\nlast::6:"
    let names = AccountNames(Array(text.utf8).span)
    for (group, name) in [(0, "root"), (4, "adm"), (5, "5"), (6, "last")] as [(UInt32, String)] {
      #expect(names.name(group) == name)
    }
  }

  @Test func fileIsReadWhenItHasChanged() throws {
    let directory = try TemporaryDirectory()
    let path = directory.path + "/passwd"
    #expect(AccountNames().ifChanged(path)?.name(5) == "5")
    try writeFile(path, Array("a:x:5:5::/:\n".utf8))
    let first = try #require(AccountNames().ifChanged(path))
    #expect(first.name(5) == "a")
    #expect(first.ifChanged(path) == nil)
    try writeFile(path, Array("longer:x:5:5::/:\n".utf8))
    let second = try #require(first.ifChanged(path))
    #expect(second.name(5) == "longer")
    removeTree(path)
    #expect(second.ifChanged(path)?.name(5) == "5")
  }

  @Test(arguments: [("id -un 0", "/etc/passwd"), ("id -gn 0", "/etc/group")])
  func ofThisMachineAsIdSays(command: String, file: String) throws {
    let (code, output) = try run(command)
    if code == 0 {
      let names = AccountNames().ifChanged(file)
      #expect(names.map { $0.name(0) + "\n" } == output)
    }
  }
}
