import Testing

@testable import Linux

@Suite struct ListenAddressTests {
  private static let loopback6 = [UInt8](repeating: 0, count: 15) + [1]
  private static let any6 = [UInt8](repeating: 0, count: 16)
  private static let documented6: [UInt8] =
    [0x20, 0x01, 0x0d, 0xb8] + [UInt8](repeating: 0, count: 10) + [0xab, 0xcd]
  private static let longestPath = "/" + String(repeating: "x", count: 106)

  /// Text, what it means, and how it is written when that differs.
  static let good: [(String, ListenAddress, String?)] = [
    (":9656", .any(port: 9656), nil), (":0", .any(port: 0), nil),
    (":65535", .any(port: 65535), nil), (":00080", .any(port: 80), ":80"),
    ("127.0.0.1:9656", .ipv4(0x7f00_0001, port: 9656), nil),
    ("0.0.0.0:1", .ipv4(0, port: 1), nil),
    ("255.254.253.252:80", .ipv4(0xfffe_fdfc, port: 80), nil),
    ("localhost:9656", .ipv4(0x7f00_0001, port: 9656), "127.0.0.1:9656"),
    ("[::1]:9656", .ipv6(loopback6, port: 9656), nil), ("[::]:80", .ipv6(any6, port: 80), nil),
    ("[2001:DB8:0::abcd]:80", .ipv6(documented6, port: 80), "[2001:db8::abcd]:80"),
    (
      "[::ffff:1.2.3.4]:80",
      .ipv6([UInt8](repeating: 0, count: 10) + [255, 255, 1, 2, 3, 4], port: 80), nil
    ),
    ("unix:/run/p.sock", .unix(path: "/run/p.sock"), nil),
    ("unix:relative", .unix(path: "relative"), nil),
    ("unix:/a:80", .unix(path: "/a:80"), nil),
    ("unix:\(longestPath)", .unix(path: longestPath), nil),
    ("vsock://:9656", .vsock(port: 9656), nil),
    ("vsock://:4294967294", .vsock(port: 4_294_967_294), nil),
  ]

  @Test(arguments: good)
  func parses(text: String, expected: ListenAddress, written: String?) throws {
    let address = try ListenAddress(text)
    #expect(address == expected)
    #expect(address.description == written ?? text)
    #expect(try ListenAddress(address.description) == address)
  }

  static let bad: [(String, ListenAddress.ParseError)] = [
    ("", .empty), ("unix:", .empty), ("9656", .noPort), ("localhost", .noPort),
    ("/run/p.sock", .noPort), (":", .badPort("")), ("127.0.0.1:", .badPort("")),
    (":65536", .badPort("65536")), (":-1", .badPort("-1")), (":+1", .badPort("+1")),
    (":80 ", .badPort("80 ")), (": 80", .badPort(" 80")), (":http", .badPort("http")),
    (":٨٠", .badPort("٨٠")), (":99999999999999999999", .badPort("99999999999999999999")),
    ("http://127.0.0.1:80", .badHost("http://127.0.0.1")), ("127.0.0.1:80/", .badPort("80/")),
    ("[::1]", .badPort("1]")), ("::1:80", .badHost("::1")), ("[::1:80", .badHost("[::1")),
    ("[]:80", .badHost("[]")), ("[:80", .badHost("[")), ("[127.0.0.1]:80", .badHost("[127.0.0.1]")),
    ("[fe80::1%lo]:80", .badHost("[fe80::1%lo]")), ("127.1:80", .badHost("127.1")),
    ("127.0.0.256:80", .badHost("127.0.0.256")), ("0x7f000001:80", .badHost("0x7f000001")),
    ("example.org:80", .badHost("example.org")), ("*:80", .badHost("*")),
    ("LOCALHOST:80", .badHost("LOCALHOST")), (" 127.0.0.1:80", .badHost(" 127.0.0.1")),
    ("UNIX:/a", .badPort("/a")), ("unix:\(longestPath)x", .unixPathTooLong(limit: 107)),
    ("unix:/" + String(repeating: "é", count: 54), .unixPathTooLong(limit: 107)),
  ]

  @Test(arguments: bad)
  func refuses(text: String, expected: ListenAddress.ParseError) {
    #expect(throws: expected) { try ListenAddress(text) }
  }

  @Test func everyDescriptionIsUnderstood() throws {
    try withRandom { random, seed throws in
      for _ in 0..<500 {
        let port = UInt16.random(in: 0 ... .max, using: &random)
        let bytes = (0..<16).map { _ in
          Bool.random(using: &random) ? 0 : UInt8.random(in: 0 ... .max, using: &random)
        }
        for address in [
          ListenAddress.ipv4(.random(in: 0 ... .max, using: &random), port: port),
          .ipv6(bytes, port: port), .any(port: port),
        ] {
          #expect(try ListenAddress("\(address)") == address, "\(address) \(seed)")
        }
      }
    }
  }
}
