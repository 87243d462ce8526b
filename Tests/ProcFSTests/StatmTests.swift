import Testing

@testable import ProcFS

@Suite struct StatmTests {
  private func statm(_ text: String) throws(ParseError) -> Statm {
    try parse(text) { bytes throws(ParseError) in try Statm(bytes, facts) }
  }

  @Test func readsPagesAsBytes() throws {
    let record = try statm("11253 3839 1593 1315 0 9427 0\n")
    #expect(record.virtualBytes == 11253 * 16384)
    #expect(record.residentBytes == 3839 * 16384)
    #expect(record.sharedBytes == 1593 * 16384)
  }

  @Test func kernelThreadAndZombieHaveNone() throws {
    let record = try statm("0 0 0 0 0 0 0\n")
    #expect(record.virtualBytes == 0 && record.residentBytes == 0 && record.sharedBytes == 0)
  }

  @Test(arguments: ["1 2 3", "1 2 3\n", "1 2 3\r\n", "1 2 3 4 5 6 7 8 9\n", " 1\t2  3 x\n"])
  func shapes(text: String) throws {
    #expect(try statm(text) == statm("1 2 3 0 0 0 0\n"))
  }

  @Test(
    arguments: [
      ("", "size"), ("\n", "size"), ("x", "size"), ("-1 2 3", "size"), ("1", "resident"),
      ("1\n2 3", "resident"), ("1 2", "shared"), ("1 2 3x", "shared"), ("1 2 -3", "shared"),
      (twoToThe64 + " 1 1", "size"), ("1 \(twoToThe64) 1", "resident"),
    ] as [(String, StaticName)])
  func errorsNameTheField(text: String, field: StaticName) {
    #expect(throws: ParseError(field: field)) { try statm(text) }
  }

  @Test func largestNumberDoesNotTrap() throws {
    _ = try statm("18446744073709551615 18446744073709551615 18446744073709551615\n")
  }
}
