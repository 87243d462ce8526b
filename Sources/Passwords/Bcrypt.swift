import CCrypt

/// Compares passwords with bcrypt hashes through libxcrypt.
///
/// - Source: `crypt_ra(3)`, `crypt(5)`.
package struct Bcrypt: Sendable {
  /// Why libxcrypt cannot be used, in the dynamic linker's words.
  package struct LoadError: Error, Sendable, Hashable {
    package let reason: String
  }

  /// bcrypt itself sees no more of a password.
  private static let passwordBytes = 72
  /// Before it are version, cost and salt.
  private static let checksumStart = 29
  private static let hashBytes = 60

  /// Loads the library unless that has happened; may wait for the file system.
  ///
  /// - Throws: `LoadError`.
  package init() throws(LoadError) {
    guard let reason = unsafe ccrypt_load() else { return }
    // SAFETY: the dynamic linker's message ends with NUL and is copied before its next call.
    throw LoadError(reason: unsafe String(cString: reason))
  }

  /// Whether a password is the one that a hash was made of; takes 2^cost steps.
  ///
  /// - Parameters:
  ///   - password: The password; one with a NUL byte never matches, and of a longer one the first 72
  ///     bytes count.
  ///   - hash: A hash as in a web configuration: 60 bytes that begin with `$2a$`, `$2b$` or `$2y$`.
  /// - Returns: Whether they fit.
  package func matches(_ password: [UInt8], _ hash: [UInt8]) -> Bool {
    guard hash.count == Self.hashBytes else { return false }
    let phrase = password.prefix(Self.passwordBytes).map(CChar.init(bitPattern:))
    // The three letters mean the same for a correct implementation; libxcrypt computes `a` in
    // another way for passwords that an old mistake made collide.
    let setting = (Array("$2b".utf8) + hash[3...]).map(CChar.init(bitPattern:))
    var data: UnsafeMutableRawPointer?
    var size: Int32 = 0
    // SAFETY: both texts end with NUL; the library allocates its memory and says how much it is.
    let result = unsafe ccrypt_hash(phrase + [0], setting + [0], &data, &size)
    defer { unsafe ccrypt_forget(data, size) }
    guard let result = unsafe result else { return false }
    var difference: UInt8 = password.contains(0) ? 1 : 0
    for index in Self.checksumStart..<Self.hashBytes {
      // SAFETY: a bcrypt hash has 60 bytes; it is read up to its end, wherever that is.
      let byte = unsafe UInt8(bitPattern: result[index])
      if byte == 0 { return false }
      difference |= byte ^ hash[index]
    }
    return difference == 0
  }
}
