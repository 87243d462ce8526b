import Glibc

/// Rows and columns of a terminal.
package struct TerminalSize: Sendable, Equatable {
  package var rows: Int
  package var columns: Int

  package init(rows: Int, columns: Int) {
    self.rows = rows
    self.columns = columns
  }

  /// What a terminal that does not tell is taken to have.
  private static let usual = TerminalSize(rows: 24, columns: 80)

  /// The size of the terminal that a descriptor is; nil if it is none.
  ///
  /// The corresponding system call is `ioctl(TIOCGWINSZ)`.
  package init?(of descriptor: Int32) {
    var size = winsize()
    if unsafe ioctl(descriptor, UInt(TIOCGWINSZ), &size) != 0 { return nil }
    self = Self.usual
    if size.ws_row > 0 { rows = Int(size.ws_row) }
    if size.ws_col > 0 { columns = Int(size.ws_col) }
  }
}
