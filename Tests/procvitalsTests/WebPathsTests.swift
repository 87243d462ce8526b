import Collector
import Config
import Foundation
import HTTPServer
import Linux
import Patterns
import Targets
import Testing

@testable import procvitals

@Suite struct WebPathsTests {
  @Test(
    arguments: [
      (nil, nil, "/metrics", "/metrics", "/metrics"),
      (nil, "/", "/metrics", "/metrics", "/metrics"),
      (nil, "", "/metrics", "/metrics", "/metrics"),
      (nil, "/p", "/p/metrics", "/metrics", "/p/metrics"),
      (nil, "/p/q/", "/p/q", "/", "/p/q/metrics"),
      (nil, "/p", "/p/", "/", "/p/metrics"),
      (nil, "/p", "/pq", nil, "/p/metrics"), (nil, "/p", "/", nil, "/p/metrics"),
      (nil, "/p", "/metrics", nil, "/p/metrics"), (nil, "/p", "", nil, "/p/metrics"),
      ("http://h/x/", nil, "/x/sd", "/sd", "/x/metrics"),
      // A proxy that takes the path away.
      ("https://h:1/x", "/", "/sd", "/sd", "/x/metrics"),
      ("http://h", nil, "/sd", "/sd", "/metrics"),
    ] as [(String?, String?, String, String?, String)])
  func paths(
    external: String?, prefix: String?, asked: String, endpoint: String?, link: String
  ) throws {
    let paths = try WebPaths(externalURL: external, routePrefix: prefix)
    #expect(paths.endpoint(asked) == endpoint)
    #expect(paths.link("/metrics") == link)
  }

  @Test(arguments: [
    "", "h", "h:1", "//h", "ftp://h", "http://", "http:///x", "http://u:p@h", "http://h/x?y",
    "http://h/x#y", "http://h/<b>", "http://h/%41", "http://h//x", "http://h y", "HTTP://h",
  ])
  func badExternalURLs(_ text: String) {
    #expect(throws: Failure.self) { try WebPaths(externalURL: text, routePrefix: nil) }
  }

  @Test(arguments: ["p", "p/", "/p?q", "/p#", "/\"", "/a b", "/é", "//", "/a//b", "/%2f"])
  func badPrefixes(_ text: String) {
    #expect(throws: Failure.self) { try WebPaths(externalURL: nil, routePrefix: text) }
  }

  @Test(arguments: [
    ("http://h", "h:80"), ("https://h/", "h:443"), ("http://h:9/x", "h:9"),
    ("https://[::1]", "[::1]:443"), ("http://[::1]:8", "[::1]:8"),
  ])
  func externalAddresses(_ url: String, _ address: String) {
    #expect(ExternalURL(url)?.address == address)
  }

  @Test func serviceDiscoverySaysHowToGetHere() {
    let key = TargetKey(name: "a", labels: [])
    let list = ServiceDiscovery([key]).document(
      Access(address: "h:443", probe: "/x/probe", isSecure: true))
    #expect(
      String(decoding: list, as: UTF8.self)
        == #"[{"targets":["h:443"],"labels":{"__metrics_path__":"/x/probe","#
        + #""__scheme__":"https","__param_target":"a","target":"a"}}]"# + "\n")
  }

  @Test func H7_allowedHosts() {
    let any = AllowedHosts([])
    #expect(any.include("x") && any.include(nil))
    let some = AllowedHosts(["Example.org", "127.0.0.1", "[::1]"])
    for good in ["example.org", "EXAMPLE.ORG:80", "127.0.0.1:9656", "[::1]", "[::1]:9656"] {
      #expect(some.include(good))
    }
    for bad in ["example.org.evil", "evil", "sub.example.org", "127.0.0.2", "[::2]:1", "", "::1"] {
      #expect(!some.include(bad))
    }
    // HTTP/1.0 needs no host, and no browser is that old.
    #expect(some.include(nil))
    for bad in ["", "h:80", "[::1]:80", "::1"] { #expect(!AllowedHosts.isHost(bad)) }
  }

  @Test func H25_page() {
    let page = Response.html(Array("<p>".utf8))
    let fields = Dictionary(uniqueKeysWithValues: page.fields.map { ($0.name, $0.value) })
    #expect(
      fields["Content-Security-Policy"]
        == "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
        + "img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'")
    #expect(fields["X-Content-Type-Options"] == "nosniff")
    #expect(fields["Referrer-Policy"] == "no-referrer")
    #expect(fields["Content-Type"] == "text/html; charset=utf-8")
    #expect(fields["Cache-Control"] == "no-store" && fields["Content-Encoding"] == nil)
    let compressed = Response.html([0x1f, 0x8b, 8])
    #expect(compressed.fields.contains { $0.name == "Content-Encoding" && $0.value == "gzip" })
    #expect(Response.entityTag([]) == "\"cbf29ce484222325\"")
    #expect(Response.entityTag([1]) != Response.entityTag([2]))
  }

  @Test func settingsWithoutSecrets() throws {
    let text = """
      defaults: {collect: [default, io], forget_after: 90s}
      limits: {targets: 17}
      targets:
        - name: "db-${port}"
          labels: {port: "${port}"}
          environment: PGDATA=hunter2*
          cmdline: '-p (?<port>[0-9]+)'
          exclude: {user: backup, environment: [TOKEN=hunter2]}
      """
    let configuration = try Configuration.parse(text: Array(text.utf8), file: "f.yaml")
    let page = ConfigPage(configuration: configuration, loadedSeconds: 17.5, error: "bad \"x\"")
    let web = try #require(
      try parsed(["--web.allowed-hosts=h", "--web.route-prefix=/p"], as: Serve.self)
    ).web
    let json = page.text(web, try web.paths(), listening: ["127.0.0.1:1"], webConfig: .null)
    #expect(!json.contains("hunter2"))
    let object = try #require(
      try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any])
    let settings = try #require(object["settings"] as? [String: String])
    #expect(settings["limits.targets"] == "17")
    #expect(settings["limits.series_per_target"] == "2000")
    #expect(
      settings["defaults.forget_after"] == "90s" || settings["defaults.forget_after"] == "1m30s")
    #expect(settings["names"] == "process")
    #expect(settings["defaults.collect"] == "[default, io]")
    #expect(object["error"] as? String == "bad \"x\"" && object["current"] as? Bool == false)
    let target = try #require((object["targets"] as? [[String: Any]])?.first)
    #expect(target["name"] as? String == "db-${port}")
    #expect((target["labels"] as? [String: String]) == ["port": "${port}"])
    #expect(
      target["selectors"] as? [String] == [
        "cmdline: -p (?<port>[0-9]+)", "environment: PGDATA=<secret>",
      ])
    #expect(target["exclude"] as? [[String]] == [["user: backup", "environment: TOKEN=<secret>"]])
    let webObject = try #require(object["web"] as? [String: Any])
    #expect(webObject["allowed_hosts"] as? [String] == ["h"])
    #expect(webObject["listen_addresses"] as? [String] == ["127.0.0.1:1"])
    #expect(webObject["lifecycle"] as? Bool == false)
  }
}
