import Patterns
import Testing

@Suite struct PatternTests {
  @Test func findsGroupsByNumberAndName() throws {
    let pattern = try Pattern(#"-p (?<port>\d+)(x)?"#)
    #expect(pattern.groups == ["port": 1])
    guard case .found(let groups) = pattern.search(Array("postgres -p 5432".utf8)) else {
      Issue.record("not found")
      return
    }
    #expect(groups[1] == Array("5432".utf8))
    #expect(groups[2] == nil)
  }

  @Test func saysWhereAnExpressionIsWrong() {
    #expect(throws: Pattern.Failure.self) { try Pattern("a(b") }
  }
}
