import Testing

@testable import GoRuntime

@Suite struct LayoutTests {
  @Test func everyLayoutHasEveryField() {
    for layout in Layout.all {
      #expect(layout.ifPresent(.mAllPSnapshot) != 0, "Go 1.\(layout.minor), \(layout.machine)")
    }
  }

  @Test func aNewerVersionHasTheNewestLayout() throws {
    let newest = try #require(Layout.of(minor: 99, .arm64))
    #expect(newest.minor == Layout.all.map(\.minor).max())
    #expect(newest.machine == .arm64)
  }

  @Test(arguments: [0, 18, 20]) func anUnknownVersionHasNone(minor: Int) {
    #expect(Layout.of(minor: minor, .amd64) == nil)
  }
}
