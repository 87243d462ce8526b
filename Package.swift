// swift-tools-version: 6.2
import PackageDescription

// Who may import whom: a room lists every room it imports, and only rooms on lower lines of
// docs/design.md. `make check` builds with the import check on, so an undeclared import fails.

let switches: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .strictMemorySafety(),
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  // Searching a text for a text would link Swift's regular expressions, 0.9 MB.
  .unsafeFlags(["-Xfrontend", "-disable-implicit-string-processing-module-import"]),
]

/// For rooms whose work is little beside that of the kernel.
let small: [SwiftSetting] = [.unsafeFlags(["-Osize"], .when(configuration: .release))]

/// For rooms that otherwise load their library while running.
let linkedHere: CSetting = .define("LINKED", .when(traits: ["Static"]))

/// A room of the daemon: own sources, all switches on.
func room(
  _ name: String, imports: [Target.Dependency], settings: [SwiftSetting] = switches
) -> Target {
  .target(name: name, dependencies: imports, swiftSettings: settings)
}

/// The tests of one room.
///
/// Tests may use Foundation and unsafe code; warnings stay errors.
func tests(_ room: String, imports: [Target.Dependency] = []) -> Target {
  .testTarget(
    name: room + "Tests",
    dependencies: [.target(name: room)] + imports,
    swiftSettings: [.swiftLanguageMode(.v6), .treatAllWarnings(as: .error)])
}

let package = Package(
  name: "procvitals",
  products: [.executable(name: "procvitals", targets: ["procvitals"])],
  traits: [
    .trait(name: "Systemd", description: "Readiness and watchdog through libsystemd."),
    .trait(name: "Static", description: "Libraries that are loaded while running are linked."),
    .trait(name: "Fuzzing", description: "Fuzz targets are driven by libFuzzer."),
    .default(enabledTraits: ["Systemd"]),
  ],
  dependencies: [.package(url: "https://github.com/apple/swift-log", from: "1.16.2")],
  targets: [
    // 0: headers and shims
    .target(name: "CLinux", cSettings: [.define("_GNU_SOURCE")]),
    .systemLibrary(
      name: "CSystemd", pkgConfig: "libsystemd", providers: [.apt(["libsystemd-dev"])]),
    .systemLibrary(
      name: "CPCRE2", pkgConfig: "libpcre2-8", providers: [.apt(["libpcre2-dev"])]),
    .systemLibrary(
      name: "CDeflate", pkgConfig: "libdeflate", providers: [.apt(["libdeflate-dev"])]),
    .systemLibrary(name: "CYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
    // Not linked, but loaded while running, which a program without shared libraries cannot do.
    .target(
      name: "CCrypt", cSettings: [linkedHere],
      linkerSettings: [.linkedLibrary("crypt", .when(traits: ["Static"]))]),
    // Needs libssl-dev.
    .target(
      name: "COpenSSL", cSettings: [linkedHere],
      linkerSettings: [
        .linkedLibrary("ssl", .when(traits: ["Static"])),
        .linkedLibrary("crypto", .when(traits: ["Static"])),
      ]),

    // 1
    room("Arguments", imports: [], settings: switches + small),
    room("Linux", imports: ["CLinux"]),
    room("Metrics", imports: []),
    room("Gzip", imports: ["CDeflate"], settings: switches + small),
    room("Patterns", imports: ["CPCRE2"]),
    room("Passwords", imports: ["CCrypt"]),

    // 2
    room("ProcFS", imports: ["Linux"]),
    room("TLS", imports: ["COpenSSL", "Linux"], settings: switches + small),
    room(
      "Systemd",
      imports: [
        "Linux", .target(name: "CSystemd", condition: .when(traits: ["Systemd"])),
      ]),

    // 3
    room("HTTPServer", imports: ["Linux", "TLS"]),
    room("GoRuntime", imports: ["Linux", "ProcFS"]),
    room("HTTPClient", imports: ["Linux", "TLS"], settings: switches + small),
    room("Targets", imports: ["Linux", "Patterns", "ProcFS"]),
    room(
      "GoReports", imports: ["GoRuntime", "HTTPClient", "Linux", "Targets"],
      settings: switches + small),

    // 4
    room(
      "Collector",
      imports: ["GoReports", "GoRuntime", "Gzip", "Linux", "Metrics", "ProcFS", "Targets"]),

    room(
      "OTLP", imports: ["Gzip", "HTTPClient", "Linux", "TLS"], settings: switches + small),

    // 5
    room(
      "Config",
      imports: [
        "CYAML", "Linux", "Metrics", "Patterns", "HTTPClient", "HTTPServer", "OTLP", "Targets",
        "GoReports", "Collector",
      ],
      settings: switches + small),

    .target(
      name: "Page",
      dependencies: ["Collector", "Gzip", "Linux", "Patterns", "Targets"],
      resources: [.embedInCode("Assets/page.css"), .embedInCode("Assets/page.js")],
      swiftSettings: switches + small),

    // 6
    .executableTarget(
      name: "procvitals",
      dependencies: [
        "Arguments", "GoRuntime", "Gzip", "Linux", "Metrics", "Patterns", "Passwords", "TLS",
        "ProcFS", "HTTPServer",
        "Systemd", "Targets",
        "Collector", "OTLP", "Config", "Page",
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: switches + small),

    // What tests share: recorded trees of /proc, children, golden files.
    .target(
      name: "TestSupport", dependencies: ["Linux"], path: "Tests/TestSupport",
      swiftSettings: [.swiftLanguageMode(.v6), .treatAllWarnings(as: .error)]),

    // What is sent to the server and what must come of it; shared by tests and fuzzing.
    .target(
      name: "RequestChecks", dependencies: ["HTTPServer"], path: "Tests/RequestChecks",
      swiftSettings: [.swiftLanguageMode(.v6), .treatAllWarnings(as: .error)]),

    // The same for files and memory of Go programs.
    .target(
      name: "GoChecks", dependencies: ["GoRuntime", "Linux"], path: "Tests/GoChecks",
      swiftSettings: [.swiftLanguageMode(.v6), .treatAllWarnings(as: .error)]),

    // Programs that tests start; no products.
    .executableTarget(
      name: "EchoServer", dependencies: ["Linux", "TLS", "HTTPServer"], path: "Tests/EchoServer",
      swiftSettings: [.swiftLanguageMode(.v6), .treatAllWarnings(as: .error)]),
    .executableTarget(
      name: "FuzzRequests", dependencies: ["RequestChecks"], path: "Tests/Fuzz/Requests",
      exclude: ["corpus", "regression", "words.dict"],
      swiftSettings: [
        .swiftLanguageMode(.v6), .treatAllWarnings(as: .error),
        .define("LIBFUZZER", .when(traits: ["Fuzzing"])),
      ]),

    .executableTarget(
      name: "FuzzGoRuntime", dependencies: ["GoChecks"], path: "Tests/Fuzz/GoRuntime",
      exclude: ["corpus", "regression"],
      swiftSettings: [
        .swiftLanguageMode(.v6), .treatAllWarnings(as: .error),
        .define("LIBFUZZER", .when(traits: ["Fuzzing"])),
      ]),
    // Samples a Go program as fast as it can, for make bench-go.
    .executableTarget(
      name: "GoSampler", dependencies: ["GoRuntime", "Linux"], path: "Tests/Bench/GoSampler",
      swiftSettings: [.swiftLanguageMode(.v6), .treatAllWarnings(as: .error)]),

    tests("Arguments", imports: ["TestSupport"]),
    tests("Linux", imports: ["CLinux", "TestSupport"]),
    tests("Metrics", imports: ["TestSupport"]),
    tests("Gzip", imports: ["TestSupport"]),
    tests("Patterns", imports: ["TestSupport"]),
    tests("Passwords", imports: ["TestSupport"]),
    tests("GoRuntime", imports: ["GoChecks", "Linux", "ProcFS", "TestSupport"]),
    tests("GoReports", imports: ["GoRuntime", "TestSupport"]),
    tests("ProcFS", imports: ["Linux", "TestSupport"]),
    tests("HTTPClient", imports: ["Linux", "TLS", "TestSupport"]),
    tests("HTTPServer", imports: ["Linux", "TLS", "RequestChecks", "TestSupport"]),
    tests("Systemd", imports: ["Linux", "TestSupport"]),
    tests("Targets", imports: ["Linux", "Patterns", "ProcFS", "TestSupport"]),
    tests(
      "Collector",
      imports: [
        "GoReports", "GoRuntime", "Gzip", "Linux", "Metrics", "Patterns", "ProcFS", "Targets",
        "TestSupport",
      ]),
    tests("OTLP", imports: ["HTTPClient", "Linux", "TestSupport"]),
    tests("Page", imports: ["Collector", "Gzip", "Targets", "TestSupport"]),
    tests(
      "Config",
      imports: [
        "Linux", "Metrics", "OTLP", "Patterns", "HTTPServer", "Targets", "GoReports", "Collector",
        "TestSupport",
      ]),
    tests(
      "procvitals",
      imports: [
        "Arguments", "GoRuntime", "Linux", "Patterns", "ProcFS", "HTTPServer", "Systemd",
        "Targets", "Collector", "OTLP", "Config", "Page", "TestSupport",
        .product(name: "Logging", package: "swift-log"),
      ]),
  ]
)
