import Glibc

/// What changes when a file is written to or replaced.
package struct FileVersion: Sendable, Hashable {
  let device: UInt64
  let inode: UInt64
  let size: Int64
  let modifiedNanoseconds: Int64
  /// Last change of content or attributes, nanoseconds since 1970; no program can set it.
  let changedNanoseconds: Int64

  private init(_ facts: Glibc.stat) {
    device = UInt64(facts.st_dev)
    inode = UInt64(facts.st_ino)
    size = Int64(facts.st_size)
    modifiedNanoseconds = Self.nanoseconds(facts.st_mtim)
    changedNanoseconds = Self.nanoseconds(facts.st_ctim)
  }

  private static func nanoseconds(_ time: timespec) -> Int64 {
    Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
  }

  /// The version of what a path leads to; links are followed.
  ///
  /// The corresponding system call is `stat(2)`.
  /// - Parameter path: The path.
  /// - Throws: `ENOENT`, `EACCES` and whatever the file system reports.
  package init(path: String) throws(Errno) {
    var facts = Glibc.stat()
    _ = try attempt(.stat) { unsafe stat(path, &facts) }
    self.init(facts)
  }

  /// The version of an open file.
  ///
  /// The corresponding system call is `fstat(2)`.
  /// - Parameter file: The file.
  /// - Throws: What the file system reports.
  package init(_ file: borrowing OwnedFD) throws(Errno) {
    var facts = Glibc.stat()
    let raw = file.raw
    _ = try attempt(.stat) { unsafe fstat(raw, &facts) }
    self.init(facts)
  }

  /// Whether a later change is sure to show: clocks of file systems tick in steps, so two changes in
  /// one step look like one.
  ///
  /// - Parameter now: Wall-clock time before the file was read, nanoseconds since 1970.
  /// - Returns: False while the last change is too young for that.
  package func isSettled(at now: Int64) -> Bool {
    now &- changedNanoseconds > Self.longestStep
  }

  /// FAT's.
  private static let longestStep: Int64 = 2_000_000_000
}
