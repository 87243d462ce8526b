import COpenSSL
import Linux

/// Certificates read from PEM; those that are not taken out are freed.
@safe struct CertificateList: ~Copyable {
  private let library: Library
  private var certificates: [OpaquePointer] = unsafe []

  /// Reads all certificates of a file; anything else that it has is passed over.
  ///
  /// - Parameters:
  ///   - pem: The file.
  ///   - library: The functions.
  ///   - what: What it is, for the message.
  /// - Throws: That there is none, or what is wrong with one.
  init(_ pem: [UInt8], _ library: Library, _ what: String) throws(ContextError) {
    library.clearErrors()
    var found: [OpaquePointer] = unsafe []
    unsafe library.withPEM(pem) { bio in
      while let next = unsafe library.functions.pointee.PEM_read_bio_X509(
        bio, nil, refusePassphrase, nil)
      {
        unsafe found.append(next)
      }
    }
    unsafe certificates = found
    self.library = library
    if library.reason != PEM_R_NO_START_LINE {
      throw .unusable("tls: failed to parse the \(what): \(library.sentence)")
    }
    if isEmpty { throw .unusable("tls: failed to find any PEM data in \(what) input") }
  }

  deinit {
    for index in unsafe certificates.indices {
      unsafe library.functions.pointee.X509_free(certificates[index])
    }
  }

  var isEmpty: Bool { unsafe certificates.isEmpty }

  /// When the first of them expires, in seconds since 1970.
  var expirationSeconds: Double? {
    let functions = unsafe library.functions
    let epoch = unsafe functions.pointee.ASN1_TIME_set(nil, 0)
    defer { unsafe functions.pointee.ASN1_STRING_free(epoch) }
    var first: Double?
    for index in unsafe certificates.indices {
      var (days, seconds): (Int32, Int32) = (0, 0)
      guard
        unsafe functions.pointee.ASN1_TIME_diff(
          &days, &seconds, epoch, functions.pointee.X509_get0_notAfter(certificates[index])) == 1
      else { continue }
      first = min(first ?? .infinity, Double(days) * 86_400 + Double(seconds))
    }
    return first
  }

  /// Takes the first one out; the caller frees it.
  mutating func removeFirst() -> OpaquePointer { unsafe certificates.removeFirst() }
}

extension Library {
  /// Lets OpenSSL read a text.
  func withPEM<Result>(_ pem: [UInt8], _ body: (OpaquePointer?) -> Result) -> Result {
    // With a line end behind it no file is empty, which would be no address.
    unsafe (pem + [10]).withUnsafeBytes { bytes in
      let bio = unsafe functions.pointee.BIO_new_mem_buf(
        bytes.baseAddress, Int32(clamping: bytes.count))
      defer { _ = unsafe functions.pointee.BIO_free(bio) }
      return unsafe body(bio)
    }
  }
}

/// The alternative names of a certificate that are DNS names, e-mail addresses, IP addresses or
/// URIs, as text.
///
/// - Source: RFC 5280, section 4.2.1.6.
func alternativeNames(_ certificate: OpaquePointer?, _ library: Library) -> [[UInt8]] {
  let functions = unsafe library.functions
  guard
    let names = unsafe functions.pointee.X509_get_ext_d2i(
      certificate, NID_subject_alt_name, nil, nil)
  else { return [] }
  defer { unsafe functions.pointee.GENERAL_NAMES_free(OpaquePointer(names)) }
  var texts: [[UInt8]] = []
  for index in 0..<max(0, unsafe functions.pointee.OPENSSL_sk_num(OpaquePointer(names))) {
    guard let value = unsafe functions.pointee.OPENSSL_sk_value(OpaquePointer(names), index)
    else { continue }
    // SAFETY: the extension is decoded as a stack of GENERAL_NAME.
    let name = unsafe value.assumingMemoryBound(to: GENERAL_NAME.self)
    let kind = unsafe name.pointee.type
    guard [GEN_DNS, GEN_EMAIL, GEN_URI, GEN_IPADD].contains(kind) else { continue }
    // All four kinds are the same structure in the union.
    let string = unsafe name.pointee.d.ia5
    let bytes = unsafe [UInt8](
      UnsafeBufferPointer(
        start: functions.pointee.ASN1_STRING_get0_data(string),
        count: Int(functions.pointee.ASN1_STRING_length(string))))
    if kind != GEN_IPADD {
      texts.append(bytes)
    } else if let text = addressText(bytes) {
      texts.append(Array(text.utf8))
    }
  }
  return texts
}
