import Testing

@testable import ProcFS

@Suite struct SchedstatTests {
  private func schedstat(_ text: String) throws(ParseError) -> Schedstat {
    try parse(text) { bytes throws(ParseError) in try Schedstat(bytes) }
  }

  @Test(arguments: [
    "225222221 13037638 395\n", "225222221 13037638 395", "225222221 13037638 395\r\n",
    "225222221 13037638 395 17 x\n",
  ])
  func reads(text: String) throws {
    let record = try schedstat(text)
    #expect(record.runNanoseconds == 225_222_221)
    #expect(record.delayNanoseconds == 13_037_638)
    #expect(record.slices == 395)
  }

  @Test func largestNumber() throws {
    #expect(try schedstat("0 0 18446744073709551615").slices == .max)
  }

  @Test(
    arguments: [
      ("", "run"), ("\n", "run"), ("-1 1 1", "run"), ("1", "delay"), ("1 \n2 3", "delay"),
      ("1 2", "slices"), ("1 2 x", "slices"), ("1 2 \(twoToThe64)", "slices"),
    ] as [(String, StaticName)])
  func errorsNameTheField(text: String, field: StaticName) {
    #expect(throws: ParseError(field: field)) { try schedstat(text) }
  }
}
