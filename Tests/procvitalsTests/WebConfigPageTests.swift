import Collector
import Config
import HTTPServer
import Testing

@testable import procvitals

@Suite struct WebConfigPageTests {
  @Test func secretsAreNotTold() {
    var configuration = WebConfiguration()
    var tls = TLSSettings(
      certificateChain: Array("certificate".utf8), privateKey: Secret(Array("hunter2".utf8)))
    tls.clientAuthentication = .requireAndVerify
    tls.allowedClientNames = ["client.example"]
    tls.cipherSuites = [.ecdsaAES128GCM]
    tls.curves = [.x25519]
    configuration.tls = tls
    configuration.gate.users = [
      Array("zoe".utf8): Secret(Array("$2y$hunter2".utf8)), Array("al\"".utf8): Secret([]),
    ]
    configuration.gate.fields = [GateSettings.Field("X-Frame-Options", "deny")]
    configuration.rateLimit = RateLimit(interval: .milliseconds(100), burst: 20)
    let line = configuration.json("/etc/web.yml", loadedSeconds: 1.5, error: "bad").line
    #expect(
      line == """
        {"file":"/etc/web.yml","loaded":1.5,"current":false,"error":"bad",\
        "next_start":[],"tls":{"key":"<secret>","client_auth_type":"RequireAndVerifyClientCert",\
        "client_allowed_sans":["client.example"],"min_version":"TLS12","max_version":"TLS13",\
        "cipher_suites":["TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"],\
        "prefer_server_cipher_suites":true,"curve_preferences":["X25519"]},\
        "headers":{"X-Frame-Options":"deny"},\
        "users":{"al\\"":"<secret>","zoe":"<secret>"},\
        "rate_limit":{"interval":0.1,"burst":20}}
        """)
  }

  @Test func whatIsOffIsNull() {
    #expect(
      WebConfiguration().json("web.yml", loadedSeconds: 2, error: nil).line == """
        {"file":"web.yml","loaded":2.0,"current":true,"error":null,"next_start":[],\
        "tls":null,"headers":{},"users":{},"rate_limit":null}
        """)
  }

  @Test func whatWaitsForTheNextStartIsNotCurrent() {
    let line = WebConfiguration().json(
      "web.yml", loadedSeconds: 2, error: nil, waiting: ["rate_limit", "tls_server_config"]
    ).line
    #expect(
      line.contains(
        #","current":false,"error":null,"next_start":["rate_limit","tls_server_config"],"#))
  }
}
