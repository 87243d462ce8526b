/// What `promtool check web-config` says of the corpus `web/testdata` of exporter-toolkit, and of
/// some more; names are theirs.
struct WebVerdict: Sendable {
  let name: String
  let text: String
  /// What the message says; nil where the file is accepted.
  var phrase: String?
  /// Where; checked if not empty.
  var place = ""

  static let certificate = "  cert_file: server.crt\n"
  static let key = "  key_file: server.key\n"
  static let pair = "tls_server_config:\n" + certificate + key
  static let verify = pair + "  client_auth_type: \"VerifyClientCertIfGiven\"\n"
  static let users = """
    basic_auth_users:
      alice: $2y$12$1DpfPeqF9HzHJt.EWswy1exHluGfbhnn3yXhR7Xes6m3WJqFg0Wby
      bob: $2y$18$4VeFDzXIoPHKnKTU3O3GH.N.vZu06CVqczYZ8WvfzrddFU6tGqjR.
      carol: $2y$10$qRTBuFoULoYNA7AQ/F3ck.trZBPyjV64.oA4ZsSBCIWvXuvQlQTuu
      dave: $2y$10$2UXri9cIDdgeKjBo4Rlpx.U3ZLDV8X1IxKmsfOvhcM5oXQt/mLmXq

    """
  static let inline = """
      cert: |
        -----BEGIN CERTIFICATE-----
        server.crt
      key: |
        -----BEGIN PRIVATE KEY-----
        server.key

    """

  static func headers(_ line: String) -> String {
    "http_server_config:\n  headers:\n    \(line)\n"
  }

  /// The corpus.
  static let corpus: [WebVerdict] = [
    // Accepted.
    .init(
      name: "tls_config_noAuth.requireandverifyclientcert.good",
      text: pair + "  client_auth_type: RequireAndVerifyClientCert\n"
        + "  client_ca_file: \"client_selfsigned.pem\"\n"),
    .init(
      name: "tls_config_noAuth.requireanyclientcert.good",
      text: pair + "  client_auth_type: \"RequireAnyClientCert\"\n"),
    .init(
      name: "tls_config_noAuth.requireanyclientcertkeyinline.good",
      text: "tls_server_config:\n" + certificate
        + "  key: |\n    -----BEGIN PRIVATE KEY-----\n    server.key\n"
        + "  client_auth_type: \"RequireAnyClientCert\"\n"),
    .init(
      name: "web_config_auth_clientCAs_missing.bad",
      text: pair + "  client_auth_type: \"RequireAndVerifyClientCert\"\n"),
    .init(name: "web_config_empty", text: ""),
    .init(
      name: "web_config_headers.good",
      text: headers(
        """
        X-Frame-Options: deny
            Strict-Transport-Security: max-age=31536000; includeSubDomains
            X-Content-Type-Options: nosniff
            X-XSS-Protection: 1
            Content-Security-Policy: "default-src 'self' *.test.example.net"
        """)),
    .init(name: "web_config_noAuth.good", text: verify),
    .init(
      name: "web_config_noAuth.good.blocking",
      text: pair + "  client_auth_type: \"RequireAndVerifyClientCert\"\n"),
    .init(
      name: "web_config_noAuth_allCiphers.good",
      text: verify + """
          cipher_suites:
          - TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
          - TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384
          - TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256
          - TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384
          - TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256
          - TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256
          - TLS_AES_128_GCM_SHA256
          - TLS_AES_256_GCM_SHA384
          - TLS_CHACHA20_POLY1305_SHA256
          - TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA
          - TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA
          - TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA
          - TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA

        """),
    .init(
      name: "web_config_noAuth_allCurves.good",
      text: verify + "  curve_preferences: [CurveP256, CurveP384, CurveP521, X25519]\n"),
    .init(
      name: "web_config_noAuth_noHTTP2.good",
      text: verify + "  cipher_suites: [TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384]\n"
        + "  max_version: TLS12\nhttp_server_config:\n  http2: false\n"),
    .init(
      name: "web_config_noAuth_noHTTP2Cipher.bad",
      text: verify + "  cipher_suites: [TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384]\n"
        + "  max_version: TLS12\n"),
    .init(
      name: "web_config_noAuth_someCiphers.good",
      text: verify + "  cipher_suites:\n  - TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256\n"
        + "  - TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384\n  min_version: TLS12\n  max_version: TLS12\n"),
    .init(
      name: "web_config_noAuth_someCiphers_noOrder.good",
      text: verify + "  cipher_suites:\n  - TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384\n"
        + "  - TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256\n  prefer_server_cipher_suites: false\n"
        + "  min_version: TLS12\n  max_version: TLS12\n"),
    .init(
      name: "web_config_noAuth_someCurves.good",
      text: verify + "  min_version: TLS13\n  curve_preferences:\n  - CurveP521\n"),
    .init(name: "web_config_noAuth_tlsInline.good", text: "tls_server_config:\n" + inline),
    .init(name: "web_config_users.good", text: pair + users),
    .init(name: "web_config_users_noTLS.good", text: users),
    .init(
      name: "web_config_auth_client_san.good",
      text: pair + "  client_auth_type: RequireAndVerifyClientCert\n"
        + "  client_ca_file: client_selfsigned.pem\n  client_allowed_sans: [one, test3, two]\n"),
    .init(
      name: "web_config_auth_client_san.bad",
      text: pair + "  client_auth_type: RequireAndVerifyClientCert\n"
        + "  client_ca_file: client_selfsigned.pem\n  client_allowed_sans:\n  - \"bad\"\n"),
    .init(
      name: "web_config_rate_limiter_nonblocking",
      text: "rate_limit:\n  interval: 0\n  burst: 0\n"),
    .init(
      name: "web_config_rate_limiter_one_second",
      text: "rate_limit:\n  interval: \"1s\"\n  burst: 0\n"),

    // Rejected.
    .init(
      name: "web_config_auth_clientCAs_invalid.bad",
      text: pair + "  client_ca_file: \"somefile\"\n",
      phrase: "no such file or directory", place: "4:19"),
    .init(
      name: "web_config_noAuth_certPath_invalid.bad",
      text: "tls_server_config:\n  cert_file: \"somefile\"\n" + key,
      phrase: "failed to read cert_file (/D/somefile): no such file or directory", place: "2:14"),
    .init(
      name: "web_config_noAuth_keyPath_invalid.bad",
      text: "tls_server_config:\n" + certificate + "  key_file: \"somefile\"\n",
      phrase: "failed to read key_file (/D/somefile): no such file or directory", place: "3:13"),
    .init(
      name: "web_config_noAuth_certPath_keyPath_invalid.bad",
      text: "tls_server_config:\n  cert_file: \"somefile\"\n  key_file: \"somefile\"\n",
      phrase: "no such file or directory", place: "2:14"),
    .init(
      name: "web_config_auth_user_list_invalid.bad",
      text: pair + "basic_auth_users:\n  john: doe\n",
      phrase: "hashedSecret too short to be a bcrypted password", place: "5:9"),
    .init(
      name: "web_config_headers_content_type_options.bad",
      text: headers("X-Content-Type-Options: sniff"),
      phrase:
        "invalid value for X-Content-Type-Options. Expected one of: [\"nosniff\"], but got: \"sniff\"",
      place: "3:29"),
    .init(
      name: "web_config_headers_frame_options.bad", text: headers("X-Frame-Options: foo"),
      phrase:
        "invalid value for X-Frame-Options. Expected one of: [\"deny\" \"sameorigin\"], but got: \"foo\"",
      place: "3:22"),
    .init(
      name: "web_config_headers_extra_header.bad", text: headers("Content-Type: foo"),
      phrase: "HTTP header \"Content-Type\" can not be configured", place: "3:5"),
    .init(
      name: "web_config_junk",
      text: "hWkNKCp3fvIx3jKnsaBI\nTuEjdwNS8A2vYdFbiKqr\nay3RiOtykgt4m6m3KOol\n",
      phrase: "cannot unmarshal", place: "1:1"),
    .init(
      name: "web_config_junk_key", text: "tls_server_config:\n  cert_filse: \"server.crt\"\n",
      phrase: "field cert_filse not found", place: "2:3"),
    .init(
      name: "web_config_noAuth.bad", text: pair + "  client_ca_file: \"/dev/null\"\n",
      phrase: "client CA's have been configured without a Client Auth Policy", place: "4:19"),
    .init(
      name: "web_config_noAuth_certPath_empty.bad",
      text: "tls_server_config:\n  cert_file: \"\"\n" + key,
      phrase: "missing one of cert or cert_file", place: "1:1"),
    .init(
      name: "web_config_noAuth_cert_empty.bad", text: "tls_server_config:\n  cert: \"\"\n" + key,
      phrase: "missing one of cert or cert_file", place: "1:1"),
    .init(
      name: "web_config_noAuth_certPath_keyPath_empty.bad",
      text: "tls_server_config:\n  cert_file: \"\"\n  key_file: \"\"\n  client_auth_type: \"x\"\n",
      phrase: "missing one of cert or cert_file", place: "1:1"),
    .init(
      name: "web_config_noAuth_keyPath_empty.bad",
      text: "tls_server_config:\n" + certificate + "  key_file: \"\"\n",
      phrase: "missing one of key or key_file", place: "1:1"),
    .init(
      name: "web_config_noAuth_key_empty.bad",
      text: "tls_server_config:\n" + certificate + "  key: \"\"\n",
      phrase: "missing one of key or key_file", place: "1:1"),
    .init(
      name: "web_config_noAuth_inventedCiphers.bad",
      text: verify + "  cipher_suites:\n  - TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA2048\n",
      phrase: "unknown cipher: TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA2048", place: "6:5"),
    .init(
      name: "web_config_noAuth_inventedCurves.bad",
      text: verify + "  curve_preferences:\n    - CurveP257\n",
      phrase: "unknown curve: CurveP257", place: "6:7"),
    .init(
      name: "web_config_noAuth_wrongTLSVersion.bad", text: verify + "  min_version: TLS111\n",
      phrase: "unknown TLS version: TLS111", place: "5:16"),
  ]

  /// What was tried beside the corpus.
  static let more: [WebVerdict] = [
    .init(name: "only a comment", text: "# nothing\n"),
    .init(name: "no values", text: "tls_server_config:\nbasic_auth_users:\nrate_limit:\n"),
    .init(name: "no users", text: "basic_auth_users: {}\n"),
    .init(name: "options without effect", text: "tls_server_config:\n  min_version: TLS13\n"),
    .init(name: "a second document", text: users + "---\nnonsense: true\n"),
    .init(name: "boolean of YAML 1.1", text: "http_server_config: {http2: off}\n"),
    .init(
      name: "an earlier name", text: pair + "  client_auth_type: RequireClientCert\n"),
    .init(
      name: "a file wins",
      text: "tls_server_config:\n" + certificate + key + "  cert: x\n  key: y\n"),
    .init(
      name: "all letters",
      text: "basic_auth_users:\n"
        + ["a", "b", "y"].map {
          "  \($0): $2\($0)$04$1DpfPeqF9HzHJt.EWswy1exHluGfbhnn3yXhR7Xes6m3WJqFg0Wby\n"
        }.joined()),

    .init(
      name: "another hash", text: "basic_auth_users:\n  a: $1$abcd$xyz\n",
      phrase: "hashedSecret too short to be a bcrypted password", place: "2:6"),
    .init(
      name: "no hash", text: "basic_auth_users:\n  a:\n",
      phrase: "hashedSecret too short to be a bcrypted password"),
    .init(
      name: "cost", text: users.replacing("$2y$12$", with: "$2y$99$"),
      phrase: "cost 99 is outside allowed inclusive range 4..31", place: "2:10"),
    .init(
      name: "lower-case header", text: headers("x-frame-options: deny"),
      phrase: "HTTP header \"x-frame-options\" can not be configured", place: "3:5"),
    .init(
      name: "only a policy", text: "tls_server_config: {client_auth_type: NoClientCert}\n",
      phrase: "missing one of cert or cert_file", place: "1:1"),
    .init(
      name: "bad client_auth_type", text: pair + "  client_auth_type: x\n",
      phrase: "invalid ClientAuth: x", place: "4:21"),
    .init(
      name: "duplicate user", text: users + "  alice: x\n",
      phrase: "key \"alice\" already set in map", place: "6:3"),
    .init(
      name: "http2: maybe", text: "http_server_config:\n  http2: maybe\n",
      phrase: "cannot unmarshal", place: "2:10"),
    .init(
      name: "http2 in quotes", text: "http_server_config:\n  http2: \"true\"\n",
      phrase: "cannot unmarshal", place: "2:10"),
    .init(
      name: "users as list", text: "basic_auth_users: [a]\n", phrase: "cannot unmarshal",
      place: "1:19"),
    .init(
      name: "unknown section", text: "basic_auth_user: {}\n",
      phrase: "field basic_auth_user not found", place: "1:1"),
    .init(
      name: "burst in words", text: "rate_limit: {interval: 1s, burst: many}\n",
      phrase: "cannot unmarshal", place: "1:35"),
    .init(
      name: "interval in words", text: "rate_limit: {interval: soon}\n", phrase: "cannot unmarshal",
      place: "1:24"),
  ]

  /// What promtool accepts.
  static let deviations: [WebVerdict] = [
    .init(
      name: "a nanosecond", text: "rate_limit: {interval: 1, burst: 1}\n",
      phrase: "\"1\" without a unit would be nanoseconds; write the unit, as in 1s or 1ns",
      place: "1:24"),
    .init(
      name: "below zero", text: "rate_limit: {interval: -1s, burst: 1}\n",
      phrase: "expected a duration that is not negative, found \"-1s\"", place: "1:24"),
    .init(
      name: "no version left", text: pair + "  min_version: TLS13\n  max_version: TLS12\n",
      phrase: "min_version TLS13 is above max_version TLS12, so that nobody could connect",
      place: "4:16"),
  ]
}
