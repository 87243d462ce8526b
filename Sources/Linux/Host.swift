import Glibc

/// The name of this machine; nil if it has none.
///
/// The corresponding system call is `uname(2)`.
package func hostName() -> String? {
  var name = [CChar](repeating: 0, count: 256)
  // SAFETY: it writes at most as many bytes as it is told there are; the last one stays 0.
  guard unsafe gethostname(&name, name.count - 1) == 0, name[0] != 0 else { return nil }
  return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
