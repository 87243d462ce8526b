import COpenSSL

/// OpenSSL's functions; the libraries are loaded when this is first asked for.
@safe struct Library: Sendable {
  /// The table stays where it is and never changes once it is filled.
  nonisolated(unsafe) let functions: UnsafePointer<copenssl>

  private static let loaded: Result<Library, ContextError> = load()

  /// - Throws: ``ContextError/notInstalled(_:)``.
  static func get() throws(ContextError) -> Library { try loaded.get() }

  private static func load() -> Result<Library, ContextError> {
    var problem: UnsafePointer<CChar>? = nil
    guard let functions = unsafe copenssl_load(&problem) else {
      let reason = unsafe problem.map { unsafe String(cString: $0) } ?? "not found"
      return .failure(.notInstalled(reason))
    }
    return .success(unsafe Library(functions: functions))
  }

  /// Forgets earlier errors of this thread, so that they are not taken for those of the next call.
  func clearErrors() { unsafe functions.pointee.ERR_clear_error() }

  /// The oldest error of this thread: its library-specific number.
  var reason: Int32 {
    let code = unsafe functions.pointee.ERR_peek_error()
    // ERR_GET_REASON: the lower 23 bits, unless it is a system error.
    return code >> 31 == 0 ? Int32(truncatingIfNeeded: code & 0x7f_ffff) : 0
  }

  /// What OpenSSL says about its oldest error.
  var sentence: String {
    let code = unsafe functions.pointee.ERR_get_error()
    guard let text = unsafe functions.pointee.ERR_reason_error_string(code) else {
      return "OpenSSL error \(code)"
    }
    return unsafe String(cString: text)
  }
}

/// Why there can be no encrypted connections with these settings.
package enum ContextError: Error, Hashable {
  /// The loader's sentence.
  case notInstalled(String)
  /// What is wrong with the settings.
  case unusable(String)
}

extension ContextError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .notInstalled(let reason):
      "TLS needs OpenSSL 3 (\(reason)); install Debian's package libssl3, or libssl3t64 since Debian 13"
    case .unusable(let what): what
    }
  }
}
