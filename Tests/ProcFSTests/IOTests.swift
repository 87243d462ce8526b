import Testing

@testable import ProcFS

@Suite struct IOTests {
  static let recorded = """
    rchar: 6976
    wchar: 20
    syscr: 10
    syscw: 3
    read_bytes: 4096
    write_bytes: 8192
    cancelled_write_bytes: 1024

    """

  private func io(_ text: String) throws(ParseError) -> IO {
    try parse(text) { bytes throws(ParseError) in try IO(bytes) }
  }

  @Test func readsARecordedFile() throws {
    let io = try io(Self.recorded)
    #expect(io.readBytes == 6976)
    #expect(io.writtenBytes == 20)
    #expect(io.readCalls == 10)
    #expect(io.writeCalls == 3)
    #expect(io.storageReadBytes == 4096)
    #expect(io.storageWrittenBytes == 8192)
    #expect(io.storageCancelledBytes == 1024)
  }

  @Test func futureLinesArePassedOver() throws {
    #expect(try io(Self.recorded + "new_bytes: x\n") == io(Self.recorded))
  }

  @Test func carriageReturnsEndNumbers() throws {
    #expect(try io(Self.recorded.replacing("\n", with: "\r\n")) == io(Self.recorded))
  }

  @Test(
    arguments: [
      "rchar", "wchar", "syscr", "syscw", "read_bytes", "write_bytes", "cancelled_write_bytes",
    ] as [StaticName])
  func everyLineIsNeeded(field: StaticName) throws {
    let lines = Self.recorded.split(separator: "\n")
    let missing = lines.filter { !$0.hasPrefix("\(field):") }.joined(separator: "\n")
    #expect(throws: ParseError(field: field)) { try io(missing) }
    for value in ["", "-1", "x", "1x", twoToThe64] {
      let text = lines.map { $0.hasPrefix("\(field):") ? "\(field): \(value)" : String($0) }
      #expect(throws: ParseError(field: field)) { try io(text.joined(separator: "\n")) }
    }
  }

  @Test func largestNumbers() throws {
    let text = Self.recorded.split(separator: "\n")
      .map { $0.prefix { $0 != " " } + " 18446744073709551615\n" }.joined()
    let io = try io(text)
    #expect(io.readBytes == .max && io.storageCancelledBytes == .max)
  }

  @Test func emptyFile() {
    #expect(throws: ParseError(field: "rchar")) { try io("") }
  }
}
