import Foundation
import Testing

@testable import procvitals

@Suite struct JSONTests {
  @Test func valuesInOneLine() {
    let value = JSON.object([
      "a": .text("x \"y\" \\ \n\u{1}\u{2028}é"), "b": .list([.whole(-3), .null]), "c": .object([:]),
      "d": .texts([]),
    ])
    #expect(
      value.line
        == #"{"a":"x \"y\" \\ \n\u0001\u2028é","b":[-3,null],"c":{},"d":[]}"#)
  }

  /// Any text comes back as it was.
  @Test(arguments: ["", "\0", "\u{7f}\u{202e}", "\r\n\t", "𝄞", "</script>"])
  func textsComeBack(text: String) throws {
    let parsed = try JSONSerialization.jsonObject(
      with: Data(JSON.texts([text]).line.utf8))
    #expect(parsed as? [String] == [text])
  }
}
