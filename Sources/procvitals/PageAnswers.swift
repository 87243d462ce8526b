import Gzip
import HTTPServer
import Page

/// A file of the page, which stays the same as long as the daemon runs.
struct Asset {
  private let plain: Response
  private let compressed: Response?

  init(_ bytes: [UInt8], contentType: String) {
    func response(_ body: [UInt8], _ fields: [(name: String, value: String)]) -> Response {
      Response(
        .ok, contentType: contentType, body: body,
        fields: [
          ("Cache-Control", "no-cache"), ("ETag", Response.entityTag(body)),
          ("Vary", "Accept-Encoding"), ("X-Content-Type-Options", "nosniff"),
        ] + fields)
    }
    plain = response(bytes, [])
    compressed = Compressor().map { response($0.gzip(bytes), [("Content-Encoding", "gzip")]) }
  }

  /// The file, or that the client has it already.
  func answer(_ request: Request) -> Response {
    let isCompressed = request.contentCoding(offered: ["gzip"]) == "gzip"
    return (isCompressed ? compressed ?? plain : plain).unlessKnown(to: request)
  }
}

extension Response {
  /// What a page may do: nothing but what it needs from here.
  private static let contentSecurityPolicy =
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    + "img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"

  /// The page for people; it may be one gzip member.
  static func html(_ body: [UInt8]) -> Response {
    Response(
      .ok, contentType: "text/html; charset=utf-8", body: body,
      fields: [
        ("Content-Security-Policy", contentSecurityPolicy), ("Referrer-Policy", "no-referrer"),
      ] + fresh + coding(of: body))
  }

  /// The figures of the last minutes; they may be one gzip member.
  static func history(_ body: [UInt8]) -> Response {
    Response(.ok, contentType: "application/json", body: body, fields: fresh + coding(of: body))
  }

  private static func coding(of body: [UInt8]) -> [(name: String, value: String)] {
    [("Vary", "Accept-Encoding")]
      + (Compressor.isMember(body) ? [("Content-Encoding", "gzip")] : [])
  }

  /// A strong entity tag: equal for equal bytes only, as far as 64 bits can tell (FNV-1a).
  static func entityTag(_ bytes: [UInt8]) -> String {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
    return "\"\(String(hash, radix: 16))\""
  }

  /// 304 if the client has this already, else the answer itself.
  func unlessKnown(to request: Request) -> Response {
    guard let tag = fields.first(where: { $0.name == "ETag" })?.value, request.alreadyHas(tag: tag)
    else { return self }
    return Response(
      .notModified, contentType: nil, body: [], fields: fields.filter { $0.name != "Content-Type" })
  }
}
