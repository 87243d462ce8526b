import Glibc
import Testing

@testable import Linux

private let hasIPv6: Bool = {
  do {
    _ = try ListenSocket(.ipv6([UInt8](repeating: 0, count: 15) + [1], port: 0))
    return true
  } catch {
    return false
  }
}()

private let hasVsock: Bool = {
  let fd = socket(AF_VSOCK, Int32(SOCK_STREAM.rawValue), 0)
  if fd >= 0 { close(fd) }
  return fd >= 0
}()

extension ListenAddress {
  fileprivate var port: UInt16? {
    switch self {
    case .ipv4(_, let port), .ipv6(_, let port), .any(let port): port
    case .unix, .vsock: nil
    }
  }
}

@Suite struct ListenSocketTests {
  private static let host: UInt32 = 0x7f00_0001
  private static let loopback6 = [UInt8](repeating: 0, count: 15) + [1]

  /// Waits for a connection and takes it.
  private func accept(_ socket: borrowing ListenSocket) throws -> OwnedFD {
    var entry = pollfd(fd: socket.fd.raw, events: Int16(POLLIN), revents: 0)
    try #require(poll(&entry, 1, 30_000) == 1)
    return try socket.accept()
  }

  private func option(_ socket: borrowing OwnedFD, _ level: Int32, _ name: Int32) -> Int32 {
    var value: Int32 = -1
    var size = socklen_t(MemoryLayout<Int32>.size)
    getsockopt(socket.raw, level, name, &value, &size)
    return value
  }

  @Test func portZeroIsChosenByTheKernel() throws {
    let socket = try ListenSocket(.ipv4(Self.host, port: 0))
    guard case .ipv4(Self.host, let port) = socket.address else {
      Issue.record("\(socket.address)")
      return
    }
    #expect(port > 0)
    let client = try connect(to: socket.address)
    let server = try accept(socket)
    #expect(write(client.raw, "hello", 5) == 5)
    var bytes = [UInt8](repeating: 0, count: 16)
    var entry = pollfd(fd: server.raw, events: Int16(POLLIN), revents: 0)
    try #require(poll(&entry, 1, 30_000) == 1)
    #expect(try receive(server, into: &bytes) == 5)
  }

  @Test func nobodyWaits() throws {
    let socket = try ListenSocket(.ipv4(Self.host, port: 0))
    #expect(throws: Errno.wouldBlock) { _ = try socket.accept() }
  }

  @Test func acceptedConnectionDoesNotBlock() throws {
    let socket = try ListenSocket(.ipv4(Self.host, port: 0))
    let client = try connect(to: socket.address)
    let server = try accept(socket)
    var bytes: [UInt8] = [0]
    #expect(throws: Errno.wouldBlock) { try receive(server, into: &bytes) }
    #expect(client.raw >= 0)
  }

  @Test func takenPort() throws {
    let socket = try ListenSocket(.ipv4(Self.host, port: 0))
    #expect(throws: Errno.addressInUse) { _ = try ListenSocket(socket.address) }
  }

  @Test func portIsFreeAgainAtOnce() throws {
    let address: ListenAddress
    do {
      let socket = try ListenSocket(.ipv4(Self.host, port: 0))
      address = socket.address
      // The side that closes first keeps the port in TIME_WAIT.
      let client = try connect(to: address)
      let server = try accept(socket)
      shutDownSending(server)
      #expect(client.raw >= 0)
    }
    #expect(try ListenSocket(address).address == address)
  }

  @Test func foreignAddress() {
    // 192.0.2.0/24 is for documentation (RFC 5737).
    #expect(throws: Errno.addressNotAvailable) {
      _ = try ListenSocket(.ipv4(0xc000_0201, port: 0))
    }
  }

  @Test(.enabled(if: hasIPv6)) func anyAddressServesBothFamilies() throws {
    let socket = try ListenSocket(.any(port: 0))
    guard case .any(let port) = socket.address else {
      Issue.record("\(socket.address)")
      return
    }
    #expect(option(socket.fd, Int32(IPPROTO_IPV6), IPV6_V6ONLY) == 0)
    for address in [ListenAddress.ipv4(Self.host, port: port), .ipv6(Self.loopback6, port: port)] {
      let client = try connect(to: address)
      _ = try accept(socket)
      #expect(client.raw >= 0)
    }
  }

  @Test(.enabled(if: hasIPv6)) func ipv6AddressLeavesIPv4Alone() throws {
    let socket = try ListenSocket(.ipv6(Self.loopback6, port: 0))
    #expect(option(socket.fd, Int32(IPPROTO_IPV6), IPV6_V6ONLY) == 1)
    let client = try connect(to: socket.address)
    _ = try accept(socket)
    #expect(client.raw >= 0)
    let port = try #require(socket.address.port)
    #expect(throws: Errno.connectionRefused) {
      _ = try connect(to: .ipv4(Self.host, port: port))
    }
  }

  @Test func withoutIPv6AnyAddressIsIPv4() throws {
    let socket = try Faults.force(.socket, .addressFamilyNotSupported) {
      try ListenSocket(.any(port: 0))
    }
    guard case .any(let port) = socket.address else {
      Issue.record("\(socket.address)")
      return
    }
    #expect(option(socket.fd, SOL_SOCKET, SO_DOMAIN) == AF_INET)
    let client = try connect(to: .ipv4(Self.host, port: port))
    _ = try accept(socket)
    #expect(client.raw >= 0)
  }

  @Test(.enabled(if: hasVsock)) func virtualMachinePort() throws {
    let socket = try ListenSocket(.vsock(port: .max))
    guard case .vsock(let port) = socket.address else {
      Issue.record("\(socket.address)")
      return
    }
    #expect(port != .max && port > 0)
    #expect(throws: Errno.addressInUse) { _ = try ListenSocket(socket.address) }
  }

  @Test func adopted() throws {
    for text in [":0", "127.0.0.1:0", "[::1]:0"] where hasIPv6 || text != "[::1]:0" {
      let made = try ListenSocket(try ListenAddress(text))
      // As systemd hands it over: blocking, and open in children.
      let passed = dup(made.fd.raw)
      #expect(fcntl(passed, F_SETFL, 0) == 0)
      let socket = try ListenSocket(adopting: OwnedFD(adopting: passed))
      #expect(socket.address == made.address)
      #expect(throws: Errno.wouldBlock) { _ = try socket.accept() }
      #expect(fcntl(socket.fd.raw, F_GETFD) == FD_CLOEXEC)
      let client = try connect(to: socket.address)
      _ = try accept(socket)
      #expect(client.raw >= 0)
    }
  }

  @Test func notAdopted() throws {
    let pair = try SocketPair()
    #expect(throws: Errno.invalid) { _ = try ListenSocket(adopting: pair.left.duplicate()) }
    let datagram = OwnedFD(adopting: socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0))
    #expect(throws: Errno.invalid) { _ = try ListenSocket(adopting: datagram.duplicate()) }
    let file = try openFile("/dev/null", .read)
    #expect(throws: Errno(ENOTSOCK)) { _ = try ListenSocket(adopting: file.duplicate()) }
  }

  @Test func delayIsDisabled() throws {
    let socket = try ListenSocket(.ipv4(Self.host, port: 0))
    let client = try connect(to: socket.address)
    let server = try accept(socket)
    #expect(option(server, Int32(IPPROTO_TCP), TCP_NODELAY) == 0)
    disableDelay(server)
    #expect(option(server, Int32(IPPROTO_TCP), TCP_NODELAY) == 1)
    #expect(client.raw >= 0)
    // A socket of another family has no such option.
    disableDelay(try SocketPair().left)
  }

  @Test(
    arguments: [
      (Duration.seconds(30), 30_000), (.milliseconds(1500), 1500), (.zero, 0), (.seconds(-1), 0),
      (.seconds(Int64.max), Int32.max),
    ] as [(Duration, Int32)])
  func deliveryIsLimited(time: Duration, milliseconds: Int32) throws {
    let socket = try ListenSocket(.ipv4(Self.host, port: 0))
    limitDelivery(socket.fd, to: time)
    let client = try connect(to: socket.address)
    let server = try accept(socket)
    #expect(option(server, Int32(IPPROTO_TCP), TCP_USER_TIMEOUT) == milliseconds)
    #expect(client.raw >= 0)
    limitDelivery(try SocketPair().left, to: time)
  }
}

@Suite struct UnixListenSocketTests {
  private func mode(_ path: String) -> mode_t? {
    var facts = stat()
    return lstat(path, &facts) == 0 ? facts.st_mode : nil
  }

  /// A socket file on which nobody listens.
  private func leaveSocket(_ path: String) throws {
    let socket = try ListenSocket(.unix(path: path + ".new"))
    try #require(rename(path + ".new", path) == 0)
    #expect(socket.fd.raw >= 0)
  }

  @Test(.enabled(if: getuid() == 0, "only root can make files in the root directory"))
  func shortestPath() throws {
    let path = "/~pv"
    #expect(try ListenSocket(.unix(path: path)).address == .unix(path: path))
    #expect(mode(path) == nil)
  }

  @Test func fileExistsAsLongAsTheSocket() throws {
    let directory = try TemporaryDirectory()
    let path = "\(directory.path)/s"
    do {
      let socket = try ListenSocket(.unix(path: path))
      #expect(socket.address == .unix(path: path))
      #expect(mode(path) == S_IFSOCK | 0o660)
      let client = try connect(to: socket.address)
      _ = try socket.accept()
      #expect(client.raw >= 0)
    }
    #expect(mode(path) == nil)
  }

  @Test func fileOfAnAdoptedSocketStays() throws {
    let directory = try TemporaryDirectory()
    let made = try ListenSocket(.unix(path: "\(directory.path)/s"))
    do {
      let socket = try ListenSocket(adopting: made.fd.duplicate())
      #expect(socket.address == made.address)
    }
    #expect(mode("\(directory.path)/s") != nil)
  }

  @Test func longestPath() throws {
    let directory = try TemporaryDirectory()
    let path = directory.path + "/" + String(repeating: "s", count: 106 - directory.path.utf8.count)
    #expect(path.utf8.count == 107)
    let socket = try ListenSocket(try ListenAddress("unix:\(path)"))
    let client = try connect(to: socket.address)
    _ = try socket.accept()
    #expect(client.raw >= 0)
    #expect(mode(path) == S_IFSOCK | 0o660)
  }

  @Test func abandonedSocketIsReplaced() throws {
    let directory = try TemporaryDirectory()
    let path = "\(directory.path)/s"
    try leaveSocket(path)
    #expect(mode(path) == S_IFSOCK | 0o660)
    #expect(throws: Errno.connectionRefused) { _ = try connect(to: .unix(path: path)) }
    let socket = try ListenSocket(.unix(path: path))
    let client = try connect(to: socket.address)
    _ = try socket.accept()
    #expect(client.raw >= 0)
  }

  @Test func liveSocketIsLeftAlone() throws {
    let directory = try TemporaryDirectory()
    let address = ListenAddress.unix(path: "\(directory.path)/s")
    let socket = try ListenSocket(address)
    #expect(throws: Errno.addressInUse) { _ = try ListenSocket(address) }
    // The probe waits in the queue before this one.
    let client = try connect(to: address)
    _ = try socket.accept()
    _ = try socket.accept()
    #expect(client.raw >= 0)
  }

  @Test func busySocketIsLeftAlone() throws {
    let directory = try TemporaryDirectory()
    let address = ListenAddress.unix(path: "\(directory.path)/s")
    let socket = try ListenSocket(address)
    // The queue is full with one connection.
    try #require(listen(socket.fd.raw, 0) == 0)
    let client = try connect(to: address)
    #expect(throws: Errno.addressInUse) { _ = try ListenSocket(address) }
    _ = try socket.accept()
    #expect(throws: Errno.wouldBlock) { _ = try socket.accept() }
    #expect(client.raw >= 0)
  }

  @Test func fileOfAnotherKindIsLeftAlone() throws {
    let directory = try TemporaryDirectory()
    _ = try directory.write(Array("precious".utf8), to: "file")
    try leaveSocket("\(directory.path)/old")
    try #require(symlink("old", "\(directory.path)/link") == 0)
    for (name, kind) in [("file", S_IFREG), ("link", S_IFLNK)] {
      let path = "\(directory.path)/\(name)"
      #expect(throws: Errno.addressInUse) { _ = try ListenSocket(.unix(path: path)) }
      #expect(mode(path).map { $0 & S_IFMT } == kind)
    }
    #expect(throws: Errno.addressInUse) { _ = try ListenSocket(.unix(path: directory.path)) }
  }

  @Test func directoryIsMissing() {
    #expect(throws: Errno.notFound) { _ = try ListenSocket(.unix(path: "/nonexistent/s")) }
  }
}
