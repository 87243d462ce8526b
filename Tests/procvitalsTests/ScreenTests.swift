import Linux
import Testing

@testable import procvitals

@Suite struct ScreenTests {
  private let sections = [
    InspectSection("first", [("a", "1"), ("a name that is as long as that", "2")]),
    InspectSection("second", [("b", "3"), ("", "more")]),
    InspectSection("third", [("µ", "4")]),
  ]

  @Test func textsStandBelowEachOther() {
    #expect(
      Screen.lines(sections) == [
        "first", "  a                     1", "  a name that is as long as that 2",
        "second", "  b                     3", "                        more",
        "third", "  µ                     4",
      ])
  }

  @Test func aFrameReplacesWhatIsShown() {
    let frame = Screen.frame("now", [sections[2]], TerminalSize(rows: 10, columns: 80))
    #expect(
      frame == "\u{1b}[?25l\u{1b}[?7l\u{1b}[Hnow\u{1b}[K\r\nthird\u{1b}[K\r\n"
        + "  µ                     4\u{1b}[K\r\n\u{1b}[J\u{1b}[?7h\u{1b}[?25h")
  }

  @Test func whatDoesNotFitStandsSideBySide() {
    let lines = Screen.arranged(sections, rows: 5, columns: 160)
    #expect(lines.count == 5)
    #expect(lines[0] == "first".padding(to: 80) + "second")
    #expect(lines[3] == "".padding(to: 80) + "third")
    #expect(Screen.arranged(sections, rows: 3, columns: 240)[0].hasSuffix("third"))
  }

  @Test func whatDoesNotFitAtAllIsCounted() {
    let lines = Screen.arranged(sections, rows: 4, columns: 20)
    #expect(
      lines == [
        "first", "  a                 ", "  a name that is as ",
        "… 5 more lines: the window is too small",
      ])
  }

  @Test(arguments: -3...12, [1, 10, 80, 200, 1000])
  func anySizeWillDo(rows: Int, columns: Int) {
    let lines = Screen.arranged(sections, rows: rows, columns: columns)
    #expect(lines.count <= 8)
    if rows > 0 { #expect(lines.count <= rows) }
  }
}

extension String {
  fileprivate func padding(to width: Int) -> String {
    self + String(repeating: " ", count: width - count)
  }
}
