import Linux
package import ProcFS

extension GoProcess {
  /// A held process that has not been looked at yet.
  ///
  /// - Parameters:
  ///   - file: What the file of its program says.
  ///   - hold: The process.
  ///   - pid: Its number in the reader's own pid namespace; nil if that is not known, and its memory is
  ///     read through `mem`.
  /// - Throws: `gone`, `denied`, `io`; `malformed` if the program is nowhere in its memory.
  package init(_ file: ProgramFile, _ hold: ProcessHold, pid: Int32?) throws(ProcError) {
    let bias = try file.bias { () throws(ProcError) in try hold.programBase() }
    if let pid {
      self.init(file, pid: pid, bias: bias)
    } else {
      self.init(file, bias: bias) { pieces, buffer throws(Errno) in
        try hold.readMemory(pieces, into: &buffer)
      }
    }
  }
}
