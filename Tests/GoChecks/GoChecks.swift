import Glibc
import GoRuntime
import Linux

/// Takes any bytes for the file of a program and, again and again, for its memory; whatever they say,
/// nothing traps, and reading comes to an end.
package func checkThatAnyProgramIsTaken(_ bytes: [UInt8]) {
  var template = Array("/tmp/procvitals-program-XXXXXX".utf8CString)
  let descriptor = mkstemp(&template)
  guard descriptor >= 0 else { return }
  unlink(template)
  let file = OwnedFD(adopting: descriptor)
  guard pwrite(descriptor, bytes, bytes.count, 0) == bytes.count,
    case .program(let program) = try? ProgramFile.read(file), bytes.count >= 8
  else { return }
  let budget = Budget()
  var process = GoProcess(program, bias: 0) { (pieces, buffer) throws(Errno) in
    budget.words -= pieces.wordCount
    if budget.words < 0 { throw .badAddress }
    buffer.removeAll(keepingCapacity: true)
    for (address, length) in zip(pieces.addresses, pieces.lengths) {
      for word in 0..<(length / 8) {
        let place = Int((address &+ word &* 8) % UInt64(bytes.count - 7))
        buffer.append(bytes[place..<(place + 8)].reversed().reduce(0) { $0 << 8 | UInt64($1) })
      }
    }
  }
  for _ in 0..<2 { _ = try? process.sample(systemThreads: UInt64(bytes[7]), attempts: 2) }
}

private final class Budget: @unchecked Sendable {
  var words = 1 << 18
}
