import Testing

@testable import ProcFS

@Suite struct ProcessNameTests {
  private func name(_ bytes: [UInt8]) -> ProcessName { ProcessName(bytes.span) }

  @Test(arguments: 0...40)
  func keepsUpToFifteenBytes(count: Int) {
    let bytes = (0..<count).map { UInt8(200 + $0) }
    #expect(name(bytes).bytes == Array(bytes.prefix(15)))
  }

  @Test func equalityIsThatOfTheBytes() {
    #expect(name([1, 2]) == name([1, 2]))
    #expect(name([1, 2]) != name([2, 1]))
    #expect(name([]) != name([0]))
    #expect(name([1]) != name([1, 0]))
    #expect(name([UInt8](repeating: 255, count: 15)) != name([UInt8](repeating: 255, count: 14)))
    #expect(name([UInt8](repeating: 9, count: 15)) == name([UInt8](repeating: 9, count: 16)))
  }
}
