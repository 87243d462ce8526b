import Foundation
import Glibc
import TestSupport
import Testing

@testable import Linux

/// The kernel's tables, with sockets that the test makes.
@Suite struct SocketTableTests {
  /// All sockets of a table, by inode.
  private func dump(
    _ table: SocketDiagnostics.Table, _ diagnostics: consuming SocketDiagnostics? = nil
  ) throws -> [UInt64: DiagnosedSocket] {
    var found: [UInt64: DiagnosedSocket] = [:]
    var all = try diagnostics ?? SocketDiagnostics()
    let outcome = try all.dump(table, limit: .max) { found[$0.inode] = $0 }
    #expect(outcome == .complete)
    return found
  }

  private func inode(_ number: Int32) -> UInt64 {
    var facts = Glibc.stat()
    return fstat(number, &facts) == 0 ? UInt64(facts.st_ino) : 0
  }

  @Test func listenerAndItsConnections() throws {
    let listener = try ListenSocket(.ipv4(0x7f00_0001, port: 0))
    guard case .ipv4(_, let port) = listener.address else { return }
    let clients = try (0..<3).map { _ in try connection(to: port) }
    defer { for client in clients { close(client) } }
    var server: Int32 = -1
    #expect(
      eventually {
        server = accept(listener.fd.raw, nil, nil); return server >= 0
      })
    defer { close(server) }
    let bytes = [UInt8](repeating: 1, count: 5000)
    #expect(Glibc.send(clients[0], bytes, bytes.count, 0) == 5000)
    var end = bytes
    var got = 0
    while got < 5000 { got += max(0, recv(server, &end, end.count, 0)) }

    var sockets = try dump(.tcp)
    _ = try eventually {
      sockets = try dump(.tcp)
      return sockets[inode(listener.fd.raw)]?.receiveQueue == 2
    }
    let listening = try #require(sockets[inode(listener.fd.raw)])
    #expect(listening.state == .listen && listening.address == listener.address)
    #expect(listening.receiveQueue == 2 && listening.sendQueue == 512)
    let client = try #require(sockets[inode(clients[0])])
    #expect(client.state == .established && client.transport == .tcp)
    #expect(client.traffic?.sentBytes == 5000 && client.traffic?.receivedBytes == 0)
    let accepted = try #require(sockets[inode(server)])
    #expect(accepted.traffic?.receivedBytes == 5000 && accepted.cookie != client.cookie)
  }

  @Test func listenersAlone() throws {
    let listener = try ListenSocket(.ipv4(0x7f00_0001, port: 0))
    guard case .ipv4(_, let port) = listener.address else { return }
    let client = try connection(to: port)
    defer { close(client) }
    var found: [UInt64: DiagnosedSocket] = [:]
    var all = try SocketDiagnostics()
    for table in [SocketDiagnostics.Table.tcp, .tcp6] {
      let outcome = try all.dump(table, listeners: true, limit: .max) { found[$0.inode] = $0 }
      #expect(outcome == .complete)
    }
    #expect(found[inode(listener.fd.raw)]?.address == listener.address)
    #expect(found.values.allSatisfy { $0.state == .listen })
  }

  @Test func socketsOfEveryTable() throws {
    var made: [Int32] = []
    defer { for number in made { close(number) } }
    func bound(_ family: Int32, _ kind: __socket_type) -> Int32 {
      let number = socket(family, Int32(kind.rawValue), 0)
      var name = sockaddr_in6()
      name.sin6_family = sa_family_t(family)
      withUnsafePointer(to: &name) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          _ = bind(number, $0, socklen_t(MemoryLayout<sockaddr_in6>.size))
        }
      }
      made.append(number)
      return number
    }
    let udp = bound(AF_INET, SOCK_DGRAM)
    #expect(try dump(.udp)[inode(udp)]?.state == .unconnected)
    #expect(try dump(.udp)[inode(udp)]?.transport == .udp)
    let udp6 = bound(AF_INET6, SOCK_DGRAM)
    #expect(try dump(.udp6)[inode(udp6)]?.state == .unconnected)
    let tcp6 = bound(AF_INET6, SOCK_STREAM)
    listen(tcp6, 9)
    let listening = try #require(try dump(.tcp6)[inode(tcp6)])
    #expect(listening.state == .listen && listening.sendQueue == 9)
    #expect(listening.address?.description.hasPrefix("[::]:") == true)
    var pair: [Int32] = [0, 0]
    #expect(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &pair) == 0)
    made += pair
    let lone = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
    made.append(lone)
    let unix = try dump(.unix)
    #expect(unix[inode(pair[0])]?.state == .established)
    #expect(unix[inode(lone)]?.state == .unconnected)
    #expect(unix[inode(lone)]?.transport == .unix)
  }

  @Test func limitCutsTheDump() throws {
    var pair: [Int32] = [0, 0]
    #expect(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &pair) == 0)
    defer { for number in pair { close(number) } }
    var all = try SocketDiagnostics()
    var count = 0
    #expect(try all.dump(.unix, limit: 1) { _ in count += 1 } == .cut)
    #expect(count == 1)
  }

  /// A table that one answer does not hold.
  @Test func moreThanOneAnswer() throws {
    let made = (0..<2000).map { _ in socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0) }
    defer { for number in made { close(number) } }
    let unix = try dump(.unix)
    #expect(made.allSatisfy { unix[inode($0)] != nil })
  }

  @Test(.enabled(if: geteuid() == 0, "needs root to make a network namespace"))
  func anotherNamespace() throws {
    let child = try Child("exec unshare -n sh -c 'echo; exec sleep 1000'")
    let own = try link("/proc/self/ns/net")
    #expect(try link("/proc/\(child.pid)/ns/net") != own)
    let namespace = try openFile("/proc/\(child.pid)/ns/net", [.read])
    let listener = try ListenSocket(.ipv4(0x7f00_0001, port: 0))
    #expect(try dump(.tcp)[inode(listener.fd.raw)] != nil)
    #expect(try dump(.tcp, try SocketDiagnostics(namespace: namespace)).isEmpty)
    // This thread has not moved.
    #expect(try link("/proc/thread-self/ns/net") == own)
    let file = try openFile("/proc/self/status", [.read])
    #expect(throws: Errno.invalid) { _ = try SocketDiagnostics(namespace: file).dumpsNothing }
  }

  private func link(_ path: String) throws -> [UInt8] {
    try linkTarget(path, in: try openFile("/", [.path, .directory]))
  }

  private func connection(to port: UInt16) throws -> Int32 {
    let number = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var name = sockaddr_in()
    name.sin_family = sa_family_t(AF_INET)
    name.sin_port = port.bigEndian
    name.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    let code = withUnsafePointer(to: &name) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(number, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard code == 0 else { throw Errno(errno) }
    return number
  }
}

extension SocketDiagnostics {
  fileprivate var dumpsNothing: Bool { true }
}
