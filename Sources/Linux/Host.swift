import Glibc

/// The name of this machine, or of its container.
///
/// The corresponding system call is `uname(2)`.
package func hostName() -> String {
  var names = utsname()
  _ = unsafe uname(&names)
  let bytes = unsafe withUnsafeBytes(of: &names.nodename) { unsafe Array($0) }
  return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
}
