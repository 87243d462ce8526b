/// One stream of bytes and what must come of it.
package struct RequestCase: Sendable, CustomStringConvertible {
  /// The requirement's number and what is special about the bytes.
  package let name: String
  /// Latin-1: every scalar is one byte.
  package let input: String
  /// `METHOD path`, `[body]`, status codes, `100` and `...` for an incomplete request, in order.
  package let expected: String

  package var description: String { name }

  init(_ name: String, _ input: String, _ expected: String) {
    self.name = name
    self.input = input
    self.expected = expected
  }

  /// A GET with one more field line.
  static func field(_ name: String, _ line: String, _ expected: String) -> RequestCase {
    RequestCase(name, "GET / HTTP/1.1\r\nHost: a\r\n\(line)\r\n\r\n", expected)
  }

  static func line(_ name: String, _ line: String, _ expected: String) -> RequestCase {
    RequestCase(name, "\(line)\r\nHost: a\r\n\r\n", expected)
  }

  static func post(_ name: String, _ rest: String, _ expected: String) -> RequestCase {
    RequestCase(name, "POST /p HTTP/1.1\r\nHost: a\r\n\(rest)", expected)
  }

  static func chunked(_ name: String, _ body: String, _ expected: String) -> RequestCase {
    post(name, "Transfer-Encoding: chunked\r\n\r\n\(body)", expected)
  }

  static func target(_ name: String, _ target: String, _ expected: String) -> RequestCase {
    line(name, "GET \(target) HTTP/1.1", expected)
  }

  static func host(_ name: String, _ value: String, _ expected: String) -> RequestCase {
    RequestCase(name, "GET / HTTP/1.1\r\nHost:\(value)\r\n\r\n", expected)
  }

  package var bytes: [UInt8] { input.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) } }
}

private func times(_ count: Int, _ text: String) -> String { String(repeating: text, count: count) }

package let requestTable: [RequestCase] =
  requestLines + targets + hosts + fieldLines + lengths + codings + chunks + limits + expectations
  + sequences

private let requestLines: [RequestCase] = [
  .line("H1 good", "GET / HTTP/1.1", "GET /"),
  .line("H1 two spaces before the target", "GET  / HTTP/1.1", "400"),
  .line("H1 two spaces before the version", "GET /  HTTP/1.1", "400"),
  .line("H1 leading space", " GET / HTTP/1.1", "400"),
  .line("H1 trailing space", "GET / HTTP/1.1 ", "400"),
  .line("H1 tab", "GET\t/ HTTP/1.1", "400"),
  .line("H1 four parts", "GET / x HTTP/1.1", "400"),
  .line("H1 method only", "GET", "400"),
  .line("H1 no target", "GET HTTP/1.1", "400"),
  .line("H1 form feed", "GET /\u{c} HTTP/1.1", "400"),
  RequestCase("H1 TLS client hello", "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}", "400"),
  RequestCase("H2 one empty line", "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET /"),
  RequestCase("H2 two empty lines", "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET /"),
  RequestCase("H2 three empty lines", "\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
  RequestCase("H2 empty line after a request", "GET / HTTP/1.1\r\nHost: a\r\n\r\n\r\n", "GET /"),
  RequestCase("H3 bare LF after the request line", "GET / HTTP/1.1\nHost: a\r\n\r\n", "400"),
  RequestCase("H3 bare LF after a field", "GET / HTTP/1.1\r\nHost: a\n\r\n", "400"),
  RequestCase("H3 bare LF at the end", "GET / HTTP/1.1\r\nHost: a\r\n\n", "400"),
  RequestCase("H3 bare LF first", "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
  RequestCase("H3 bare CR in the request line", "GET /\rx HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
  RequestCase("H3 bare CR in a value", "GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n", "400"),
  RequestCase("H3 CR CR LF", "GET / HTTP/1.1\r\r\nHost: a\r\n\r\n", "400"),
  RequestCase("H4 HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", "GET / 1.0"),
  .line("H4 HTTP/1.2 is 1.1", "GET / HTTP/1.2", "GET /"),
  .line("H4 HTTP/1.9 is 1.1", "GET / HTTP/1.9", "GET /"),
  .line("H4 HTTP/2.0", "GET / HTTP/2.0", "505"),
  .line("H4 HTTP/9.9", "GET / HTTP/9.9", "505"),
  .line("H4 HTTP/0.9", "GET / HTTP/0.9", "505"),
  .line("H4 HTTP/1", "GET / HTTP/1", "400"),
  .line("H4 HTTP/01.1", "GET / HTTP/01.1", "400"),
  .line("H4 HTTP/1.10", "GET / HTTP/1.10", "400"),
  .line("H4 http/1.1", "GET / http/1.1", "400"),
  .line("H4 HTTP/1. 1", "GET / HTTP/1. 1", "400"),
  .line("H4 HTTP/1,1", "GET / HTTP/1,1", "400"),
  .line("H4 HTTP/A.1", "GET / HTTP/A.1", "400"),
  .line("H4 HTP/1.1", "GET / HTP/1.1", "400"),
  RequestCase("H4 HTTP/0.9 request", "GET /\r\n", "400"),
  RequestCase("H4 h2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505"),
  .line("H5 lower case", "get / HTTP/1.1", "501"),
  .line("H5 unknown", "FOO / HTTP/1.1", "501"),
  .line("H5 32 bytes", "\(times(32, "A")) / HTTP/1.1", "501"),
  .line("H5 33 bytes", "\(times(33, "A")) / HTTP/1.1", "400"),
  .line("H5 9000 bytes", "\(times(9000, "A")) / HTTP/1.1", "400"),
  .line("H5 not a token", "G(T / HTTP/1.1", "400"),
  .line("H5 above ASCII", "G\u{c4}T / HTTP/1.1", "400"),
  .line("H5 DELETE", "DELETE /x HTTP/1.1", "DELETE /x"),
  .line("H5 PUT", "PUT /x HTTP/1.1", "PUT /x"),
  .line("H5 PATCH", "PATCH /x HTTP/1.1", "PATCH /x"),
  .line("H5 HEAD", "HEAD /x HTTP/1.1", "HEAD /x"),
  RequestCase("H5 unknown, but broken framing", "FOO / HTTP/1.1\r\nHost : a\r\n\r\n", "400"),
  .line("H22 TRACE", "TRACE / HTTP/1.1", "501"),
  .line("H22 CONNECT", "CONNECT a:80 HTTP/1.1", "501"),
  .line("H22 OPTIONS *", "OPTIONS * HTTP/1.1", "OPTIONS *"),
  .line("H22 OPTIONS of a resource", "OPTIONS /metrics HTTP/1.1", "OPTIONS /metrics"),
]

private let targets: [RequestCase] = [
  .target("H6 query", "/a?b=c&d", "GET /a ?b=c,d="),
  .target("H6 empty query", "/a?", "GET /a"),
  .target("H6 query with plus and percent", "/a?x+y=%26%3d+z&c[]=1", "GET /a ?x y=&= z,c[]=1"),
  .target("H6 second question mark", "/a?b=?c", "GET /a ?b=?c"),
  .target("H6 absolute form", "http://b/metrics", "GET /metrics @b"),
  .target("H6 absolute form with port", "http://b:9656/metrics?x=1", "GET /metrics ?x=1 @b:9656"),
  .target("H6 absolute form, upper case", "HTTP://B/", "GET / @B"),
  .target("H6 absolute form without path", "http://b", "GET / @b"),
  .target("H6 absolute form, query only", "http://b?x=1", "GET / ?x=1 @b"),
  .target("H6 absolute form without host", "http:///metrics", "400"),
  .target("H6 absolute form with user", "http://u@b/", "400"),
  .target("H6 absolute form, bad port", "http://b:x/", "400"),
  .target("H6 absolute form, other scheme", "ftp://b/", "400"),
  .target("H6 absolute form, https", "https://b/a", "GET /a @b"),
  RequestCase("H6 absolute form still needs Host", "GET http://b/ HTTP/1.1\r\n\r\n", "400"),
  .line("H6 absolute OPTIONS without path", "OPTIONS http://b HTTP/1.1", "OPTIONS * @b"),
  .target("H6 * with GET", "*", "400"),
  .target("H6 authority form with GET", "a:80", "400"),
  .line("H6 CONNECT with a path", "CONNECT /a HTTP/1.1", "400"),
  .line("H6 CONNECT with a user", "CONNECT u@a:80 HTTP/1.1", "400"),
  .target("H6 no leading slash", "metrics", "400"),
  .target("H6 fragment", "/a#b", "400"),
  .target("H6 backslash", "/a\\b", "400"),
  .target("H6 backslash in the query", "/a?\\b", "400"),
  .target("H6 above ASCII", "/\u{c3}\u{a9}", "400"),
  .target("H6 NUL", "/a\u{0}b", "400"),
  .target("H6 DEL", "/a\u{7f}b", "400"),
  .target("H6 percent without digits", "/a%", "400"),
  .target("H6 percent with one digit", "/a%4", "400"),
  .target("H6 percent with other letters", "/a%zz", "400"),
  .target("H6 percent in the query", "/a?b=%g0", "400"),
  .target("H6 encoded letter", "/%6detrics", "GET /metrics"),
  .target("H6 decoded once", "/a%2561", "GET /a%61"),
  .target("H6 encoded slash separates nothing", "/a%2Fb%2fc", "GET /a%2Fb%2fc"),
  .target("H6 encoded NUL", "/a%00", "400"),
  .target("H6 encoded NUL in the query", "/?a=%00", "400"),
  .target("H6 encoded UTF-8", "/%C3%A9", "GET /\u{e9}"),
  .target("H6 overlong UTF-8", "/%C0%AF", "400"),
  .target("H6 surrogate", "/%ED%A0%80", "400"),
  .target("H6 overlong UTF-8 in the query", "/?%C0%AF", "400"),
  .target("H6 truncated UTF-8", "/%C3", "400"),
  .target("H6 UTF-8 across a separator", "/?a=%C3&%A9", "400"),
  .target("H6 single dot", "/./metrics", "GET /metrics"),
  .target("H6 double dot", "/a/../metrics", "GET /metrics"),
  .target("H6 above the root", "/../../metrics", "GET /metrics"),
  .target("H6 dots at the end", "/a/b/..", "GET /a/"),
  .target("H6 dot at the end", "/a/.", "GET /a/"),
  .target("H6 encoded dots", "/a/%2e%2E/b", "GET /b"),
  .target("H6 only dots", "/..", "GET /"),
  .target("H6 three dots are a name", "/.../b", "GET /.../b"),
  .target("H6 hidden file", "/.a", "GET /.a"),
  .target("H6 double slash stays", "//metrics", "GET //metrics"),
  .target("H6 dots in the query stay", "/a?b=../c", "GET /a ?b=../c"),
]

private let hosts: [RequestCase] = [
  RequestCase("H7 missing", "GET / HTTP/1.1\r\n\r\n", "400"),
  RequestCase("H7 missing, HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", "GET / 1.0"),
  RequestCase("H7 twice", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "400"),
  RequestCase("H7 twice the same", "GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n", "400"),
  .host("H7 empty", "", "400"),
  .host("H7 blank", "  \t", "400"),
  .host("H7 name", " example.com", "GET /"),
  .host("H7 no blank", "a", "GET /"),
  .host("H7 port", " a:9656", "GET /"),
  .host("H7 empty port", " a:", "GET /"),
  .host("H7 IPv6", " [::1]:9656", "GET /"),
  .host("H7 IPv6 without port", " [2001:db8::1]", "GET /"),
  .host("H7 IPv6 not closed", " [::1", "400"),
  .host("H7 IPv6 empty", " []", "400"),
  .host("H7 text after IPv6", " [::1]a", "400"),
  .host("H7 encoded byte", " a%2Db", "GET /"),
  .host("H7 percent without digits", " a%2", "400"),
  .host("H7 percent with other letters", " a%zz", "400"),
  .host("H7 user", " u@a", "400"),
  .host("H7 path", " a/b", "400"),
  .host("H7 list", " a,b", "400"),
  .host("H7 space inside", " a b", "400"),
  .host("H7 port not a number", " a:x", "400"),
  .host("H7 port too large", " a:65536", "400"),
  .host("H7 port much too large", " a:99999999999999999999999", "400"),
  .host("H7 negative port", " a:-1", "400"),
  .host("H7 two ports", " a:1:2", "400"),
  .host("H7 only a port", " :80", "400"),
  .host("H7 above ASCII", " \u{e4}", "400"),
]

private let fieldLines: [RequestCase] = [
  .field("H8 empty value", "X:", "GET /"),
  .field("H8 blanks around the value", "X: \t a \t", "GET /"),
  .field("H8 every kind of byte", "X: \u{80}\u{ff}\t~", "GET /"),
  .field("H8 space before the colon", "X : a", "400"),
  .field("H8 tab before the colon", "X\t: a", "400"),
  .field("H8 no name", ": a", "400"),
  .field("H8 no colon", "X", "400"),
  .field("H8 name not a token", "X@Y: a", "400"),
  .field("H8 name above ASCII", "X\u{e4}: a", "400"),
  .field("H8 folded", "X: a\r\n b", "400"),
  .field("H8 folded with a tab", "X: a\r\n\tb", "400"),
  .field("H8 NUL", "X: a\u{0}b", "400"),
  .field("H8 bell", "X: a\u{7}b", "400"),
  .field("H8 DEL", "X: a\u{7f}b", "400"),
  .field("H8 vertical tab", "X: a\u{b}b", "400"),
  RequestCase("H8 blank before the first field", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", "400"),
  RequestCase("H8 blank line that is not empty", "GET / HTTP/1.1\r\nHost: a\r\n \r\n", "400"),
  .field("H16 upgrade is ignored", "Connection: upgrade\r\nUpgrade: websocket", "GET /"),
  .field(
    "H16 h2c is ignored",
    "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAM", "GET /"),
  .field("H17 range is ignored", "Range: bytes=0-0", "GET /"),
]

private let lengths: [RequestCase] = [
  .post("H9 zero", "Content-Length: 0\r\n\r\n", "POST /p"),
  .post("H9 five", "Content-Length: 5\r\n\r\nhello", "POST /p [hello]"),
  .post("H9 case of the name", "cOnTeNt-LeNgTh: 5\r\n\r\nhello", "POST /p [hello]"),
  .post("H9 none", "\r\n", "POST /p"),
  .post("H9 empty", "Content-Length:\r\n\r\n", "400"),
  .post("H9 plus", "Content-Length: +5\r\n\r\nhello", "400"),
  .post("H9 minus", "Content-Length: -5\r\n\r\nhello", "400"),
  .post("H9 space inside", "Content-Length: 5 5\r\n\r\nhello", "400"),
  .post("H9 hexadecimal", "Content-Length: 0x5\r\n\r\nhello", "400"),
  .post("H9 underscore", "Content-Length: 1_0\r\n\r\nhellohello", "400"),
  .post("H9 leading zero", "Content-Length: 05\r\n\r\nhello", "400"),
  .post("H9 two zeros", "Content-Length: 00\r\n\r\n", "400"),
  .post("H9 fraction", "Content-Length: 5.0\r\n\r\nhello", "400"),
  .post("H9 list, same", "Content-Length: 5, 5\r\n\r\nhello", "400"),
  .post("H9 list, different", "Content-Length: 5, 6\r\n\r\nhello", "400"),
  .post("H9 twice, same", "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", "400"),
  .post("H9 twice, different", "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello", "400"),
  .post("H9 2^63-1", "Content-Length: 9223372036854775807\r\n\r\n", "413"),
  .post("H9 2^63", "Content-Length: 9223372036854775808\r\n\r\n", "400"),
  .post("H9 2^64+5", "Content-Length: 18446744073709551621\r\n\r\nhello", "400"),
  .post("H9 not ASCII", "Content-Length: \u{b2}\r\n\r\n", "400"),
  .post("H13 at the limit", "Content-Length: 65536\r\n\r\nx", "..."),
  .post("H13 above the limit", "Content-Length: 65537\r\n\r\nx", "413"),
  .field("H12 GET with a body", "Content-Length: 5\r\n\r\nhello", "GET / [hello]"),
  .field(
    "H12 GET with a chunked body", "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n",
    "GET / [ab]"),
  RequestCase(
    "H12 the body is no request",
    "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 28\r\n\r\n"
      + "GET /x HTTP/1.1\r\nHost: a\r\n\r\nGET /y HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET / [GET /x HTTP/1.1\r\nHost: a\r\n\r\n]; GET /y"),
  RequestCase(
    "H12 HEAD with a body", "HEAD / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nok",
    "HEAD / [ok]"),
  RequestCase(
    "H12 OPTIONS with a chunked body",
    "OPTIONS / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
    "OPTIONS / [x]"),
  .post("H12 incomplete body", "Content-Length: 5\r\n\r\nhell", "..."),
]

private let codings: [RequestCase] = [
  .post("H10 upper case", "Transfer-Encoding: CHUNKED\r\n\r\n0\r\n\r\n", "POST /p"),
  .post("H10 blanks", "Transfer-Encoding: \t chunked \t\r\n\r\n0\r\n\r\n", "POST /p"),
  .post(
    "H10 with Content-Length", "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    "400"),
  .post(
    "H10 after Content-Length", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "400"),
  RequestCase(
    "H10 HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400"),
  .post("H10 chunked not last", "Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n", "400"),
  .post("H10 chunked twice", "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", "400"),
  .post(
    "H10 two lines", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "400"),
  .post(
    "H10 two different lines",
    "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400"),
  .post("H10 empty", "Transfer-Encoding:\r\n\r\n0\r\n\r\n", "400"),
  .post("H10 leading comma", "Transfer-Encoding: ,chunked\r\n\r\n0\r\n\r\n", "400"),
  .post("H10 trailing comma", "Transfer-Encoding: chunked,\r\n\r\n0\r\n\r\n", "400"),
  .post("H10 parameter", "Transfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n", "400"),
  .post("H10 quotes", "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n", "400"),
  .post("H10 vertical tab", "Transfer-Encoding: \u{b}chunked\r\n\r\n0\r\n\r\n", "400"),
  .post("H10 form feed", "Transfer-Encoding: chunked\u{c}\r\n\r\n0\r\n\r\n", "400"),
  .post("H10 NUL", "Transfer-Encoding: chunked\u{0}\r\n\r\n0\r\n\r\n", "400"),
  .post("H10 other word", "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", "400"),
  .post("H10 space inside", "Transfer-Encoding: chun ked\r\n\r\n0\r\n\r\n", "400"),
  .post("H10 identity", "Transfer-Encoding: identity\r\n\r\n", "400"),
  .post("H10 gzip", "Transfer-Encoding: gzip\r\n\r\n", "400"),
  .post("H10 gzip and chunked", "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "501"),
  .post("H10 space before the colon", "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", "400"),
  .post("H10 folded", "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n", "400"),
]

private let chunks: [RequestCase] = [
  .chunked("H11 one", "5\r\nhello\r\n0\r\n\r\n", "POST /p [hello]"),
  .chunked("H11 two", "3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n", "POST /p [hello]"),
  .chunked(
    "H11 hexadecimal", "0a\r\n0123456789\r\n0A\r\n0123456789\r\n0\r\n\r\n",
    "POST /p [01234567890123456789]"),
  .chunked("H11 leading zeros", "0005\r\nhello\r\n000\r\n\r\n", "POST /p [hello]"),
  .chunked("H11 too many digits", "00000000000000005\r\nhello\r\n0\r\n\r\n", "400"),
  .chunked("H11 no size", "\r\nhello\r\n0\r\n\r\n", "400"),
  .chunked("H11 0x", "0x5\r\nhello\r\n0\r\n\r\n", "400"),
  .chunked("H11 plus", "+5\r\nhello\r\n0\r\n\r\n", "400"),
  .chunked("H11 minus", "-5\r\nhello\r\n0\r\n\r\n", "400"),
  .chunked("H11 underscore", "1_0\r\nhello\r\n0\r\n\r\n", "400"),
  .chunked("H11 leading space", " 5\r\nhello\r\n0\r\n\r\n", "400"),
  .chunked("H11 trailing space", "5 \r\nhello\r\n0\r\n\r\n", "400"),
  .chunked("H11 trailing tab", "5\t\r\nhello\r\n0\r\n\r\n", "400"),
  .chunked("H11 2^31", "80000000\r\nx", "413"),
  .chunked("H11 2^31+1", "80000001\r\nx", "400"),
  .chunked("H11 2^64+5", "10000000000000005\r\nhello\r\n0\r\n\r\n", "400"),
  .chunked("H11 LF after the size", "5\nhello\r\n0\r\n\r\n", "400"),
  .chunked("H11 CR CR LF after the size", "5\r\r\nhello\r\n0\r\n\r\n", "400"),
  .chunked("H11 CR and text after the size", "5\rxhello\r\n0\r\n\r\n", "400"),
  .chunked("H11 LF after the data", "5\r\nhello\n0\r\n\r\n", "400"),
  .chunked("H11 data too long", "5\r\nhelloo\r\n0\r\n\r\n", "400"),
  .chunked("H11 data too short", "5\r\nhell\r\n0\r\n\r\n", "400"),
  .chunked("H11 no CR LF after the data", "5\r\nhello0\r\n\r\n", "400"),
  .chunked("H11 CR without LF after the data", "5\r\nhello\r0\r\n\r\n", "400"),
  .chunked("H11 extension", "5;a\r\nhello\r\n0\r\n\r\n", "POST /p [hello]"),
  .chunked("H11 extension with value", "5;a=b;c=d\r\nhello\r\n0;e=f\r\n\r\n", "POST /p [hello]"),
  .chunked("H11 quoted value", "5;a=\"b;\\\"\\\\\tc\"\r\nhello\r\n0\r\n\r\n", "POST /p [hello]"),
  .chunked("H11 two quoted values", "5;a=\"b\";c=\"\"\r\nhello\r\n0\r\n\r\n", "POST /p [hello]"),
  .chunked("H11 blanks in an extension", "5; a = b ;c\r\nhello\r\n0\r\n\r\n", "POST /p [hello]"),
  .chunked("H11 blank behind an extension", "5;a \r\nhello\r\n0\r\n\r\n", "400"),
  .chunked("H11 blank behind a value", "5;a=b\t\r\nhello\r\n0\r\n\r\n", "400"),
  .chunked("H11 blank behind a quoted value", "5;a=\"b\" \r\nhello\r\n0\r\n\r\n", "400"),
  .chunked("H11 extension without name", "5;\r\nhello\r\n0\r\n\r\n", "400"),
  .chunked("H11 extension without value", "5;a=\r\nhello\r\n0\r\n\r\n", "400"),
  .chunked("H11 extension, open quote", "5;a=\"b\r\nhello\r\n0\r\n\r\n", "400"),
  .chunked("H11 text after the quote", "5;a=\"b\"c\r\nhello\r\n0\r\n\r\n", "400"),
  .chunked("H11 extension with NUL", "5;a\u{0}\r\nhello\r\n0\r\n\r\n", "400"),
  .chunked("H11 control in a quoted value", "5;a=\"\u{1}\"\r\nhello\r\n0\r\n\r\n", "400"),
  .chunked("H11 bare LF in an extension", "5;a\nhello\r\n0\r\n\r\n", "400"),
  .chunked("H11 bare CR in an extension", "5;a\rb\r\nhello\r\n0\r\n\r\n", "400"),
  .chunked("H11 long extension", "5;\(times(4094, "a"))\r\nhello\r\n0\r\n\r\n", "POST /p [hello]"),
  .chunked("H11 too long extension", "5;\(times(4096, "a"))\r\nhello\r\n0\r\n\r\n", "400"),
  .chunked("H11 many extensions", "\(times(1100, "1;abc\r\nx\r\n"))0\r\n\r\n", "400"),
  .chunked("H11 trailer", "0\r\nX: y\r\nZ: \r\n\r\n", "POST /p"),
  .chunked(
    "H11 forbidden trailer fields are ignored",
    "0\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\nHost: b\r\n\r\n", "POST /p"),
  .chunked("H11 trailer without colon", "0\r\nX\r\n\r\n", "400"),
  .chunked("H11 trailer, space before the colon", "0\r\nX : y\r\n\r\n", "400"),
  .chunked("H11 trailer, folded", "0\r\nX: y\r\n z\r\n\r\n", "400"),
  .chunked("H11 trailer, bare LF", "0\r\nX: y\n\r\n", "400"),
  .chunked("H11 trailer, NUL", "0\r\nX: \u{0}\r\n\r\n", "400"),
  .chunked("H11 trailer, too many", "0\r\n\(times(99, "X: y\r\n"))\r\n", "431"),
  .chunked("H11 trailer, too long", "0\r\n\(times(5, "X: \(times(8000, "y"))\r\n"))\r\n", "431"),
  .chunked("H11 end without trailer's end", "0\r\nX", "..."),
  .chunked("H13 chunks above the limit", "\(times(9, "2000\r\n\(times(8192, "x"))\r\n"))", "413"),
]

private let limits: [RequestCase] = [
  .target("H14 target of 8000 octets", "/\(times(7999, "a"))", "GET /\(times(7999, "a"))"),
  .line(
    "H14 line at the limit", "GET /\(times(8192 - 14, "a")) HTTP/1.1",
    "GET /\(times(8192 - 14, "a"))"),
  .line("H14 line above the limit", "GET /\(times(8192 - 13, "a")) HTTP/1.1", "414"),
  RequestCase("H14 line without end", "GET /\(times(9000, "a"))", "414"),
  .field("H14 field at the limit", "X: \(times(8192 - 3, "a"))", "GET /"),
  .field("H14 field above the limit", "X: \(times(8192 - 2, "a"))", "431"),
  .field(
    "H14 section at the limit",
    times(3, "X: \(times(8187, "a"))\r\n") + "X: \(times(32768 - 9 - 3 * 8192 - 5, "a"))", "GET /"),
  .field(
    "H14 section above the limit",
    times(3, "X: \(times(8187, "a"))\r\n") + "X: \(times(32768 - 9 - 3 * 8192 - 2, "a"))", "431"),
  .field("H14 100 fields", times(98, "X: y\r\n") + "X: y", "GET /"),
  .field("H14 101 fields", times(99, "X: y\r\n") + "X: y", "431"),
]

private let expectations: [RequestCase] = [
  .post("H15 continue", "Content-Length: 2\r\nExpect: 100-continue\r\n\r\nok", "100; POST /p [ok]"),
  .post(
    "H15 case does not matter", "Content-Length: 2\r\nExpect: 100-Continue\r\n\r\nok",
    "100; POST /p [ok]"),
  .post(
    "H15 chunked", "Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n0\r\n\r\n",
    "100; POST /p"),
  .post("H15 without body", "Expect: 100-continue\r\n\r\n", "POST /p"),
  .post("H15 too large", "Content-Length: 99999\r\nExpect: 100-continue\r\n\r\n", "413"),
  .post("H15 other expectation", "Content-Length: 2\r\nExpect: fish\r\n\r\nok", "417"),
  .post(
    "H15 one more expectation", "Content-Length: 2\r\nExpect: 100-continue, fish\r\n\r\nok",
    "417"),
  .post("H15 broken framing first", "Content-Length: x\r\nExpect: fish\r\n\r\n", "400"),
  RequestCase(
    "H15 unknown method",
    "FOO / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n"
      + "Expect: 100-continue\r\n\r\nok", "501"),
  RequestCase(
    "H15 HTTP/1.0", "POST / HTTP/1.0\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\nok",
    "POST / 1.0 [ok]"),
  RequestCase(
    "H15 HTTP/1.0, other", "POST / HTTP/1.0\r\nContent-Length: 2\r\nExpect: fish\r\n\r\nok",
    "POST / 1.0 [ok]"),
]

private let sequences: [RequestCase] = [
  RequestCase(
    "H23 pipeline",
    "GET /a HTTP/1.1\r\nHost: a\r\n\r\nPOST /b HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nok"
      + "HEAD /c HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /a; POST /b [ok]; HEAD /c"),
  RequestCase(
    "H23 nothing after an error",
    "GET / HTTP/1.1\r\nHost : a\r\n\r\n"
      + "GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
  RequestCase(
    "H23 close", "GET /a HTTP/1.1\r\nHost: a\r\nConnection: x, Close\r\n\r\n", "GET /a close"),
  RequestCase(
    "H23 close wins",
    "GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
      + "Connection: keep-alive\r\n\r\n", "GET /a close"),
  RequestCase(
    "H23 keep-alive, HTTP/1.0", "GET /a HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n",
    "GET /a 1.0 keep-alive"),
  RequestCase(
    "H23 not the whole word", "GET /a HTTP/1.1\r\nHost: a\r\nConnection: closed\r\n\r\n", "GET /a"),
  RequestCase(
    "H27 chunked body hides a request",
    "POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
      + "1b\r\nGET /hidden HTTP/1.1\r\nHost:\r\n0\r\n\r\n",
    "POST /p [GET /hidden HTTP/1.1\r\nHost:]"),
  RequestCase(
    "H27 length and chunks",
    "POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n"
      + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /hidden HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
  RequestCase(
    "H27 trailer hides a request",
    "POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
      + "0\r\nGET /hidden HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
]
