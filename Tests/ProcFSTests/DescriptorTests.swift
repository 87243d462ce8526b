import Glibc
import Linux
import TestSupport
import Testing

@testable import ProcFS

@Suite struct DescriptorTests {
  @Test(
    arguments: [
      ("socket:[4711]", .socket), ("pipe:[12]", .pipe), ("anon_inode:[eventfd]", .eventfd),
      ("anon_inode:[eventpoll]", .eventpoll), ("anon_inode:[timerfd]", .timerfd),
      ("anon_inode:[signalfd]", .signalfd), ("anon_inode:inotify", .inotify),
      ("anon_inode:[pidfd]", .pidfd), ("pidfd:[77]", .pidfd), ("/memfd:shm x (deleted)", .memfd),
      ("anon_inode:[io_uring]", .other), ("anon_inode:", .other), ("anon_inode:[", .other),
      ("net:[4026531840]", .other), ("", .other), ("socket:", .other),
    ] as [(String, Descriptor.Kind)])
  func linksThatSayWhatTheyAre(link: String, kind: Descriptor.Kind) {
    #expect(Descriptor(link: Array(link.utf8).span)?.kind == kind)
  }

  @Test(arguments: ["/var/log/app.log", "/dev/null", "/", "/dev/shm/x (deleted)"])
  func pathsDoNotSay(link: String) {
    #expect(Descriptor(link: Array(link.utf8).span) == nil)
  }

  @Test(
    arguments: [
      ("socket:[4711]", 4711), ("socket:[18446744073709551615]", .max),
      ("socket:[18446744073709551616]", nil), ("socket:[]", nil), ("socket:[", nil),
      ("socket:[12", nil), ("pipe:[12]", nil),
    ] as [(String, UInt64?)])
  func socketsHaveTheirNumber(link: String, inode: UInt64?) {
    #expect(Descriptor(link: Array(link.utf8).span)?.socketInode == inode)
  }

  /// Everything that this very process can open, found again.
  @Test func ownDescriptorsOfEveryKind() throws {
    var pair: [Int32] = [0, 0]
    var ends: [Int32] = [0, 0]
    #expect(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &pair) == 0)
    #expect(pipe(&ends) == 0)
    let directory = try TemporaryDirectory()
    let fifo = directory.path + "/fifo"
    #expect(mkfifo(fifo, 0o600) == 0)
    let opened = [
      open(directory.path + "/file", O_CREAT | O_RDWR, 0o600), open(directory.path, O_RDONLY),
      open("/dev/zero", O_RDONLY), open(fifo, O_RDWR),
    ]
    #expect(opened.allSatisfy { $0 >= 0 })
    defer { for number in pair + ends + opened { close(number) } }
    let event = try EventFD()
    let loop = try EventLoop()
    let pidfd = try PidFD(pid: getpid())

    var held = try Held(getpid(), in: "/proc", facts: .current())
    var counts: [Descriptor.Kind: Int] = [:]
    var inodes: [UInt64] = []
    try held.handle.descriptors(&held.reader, &held.buffer) { descriptor in
      counts[descriptor.kind, default: 0] += 1
      if let inode = descriptor.socketInode { inodes.append(inode) }
      return true
    }
    for kind in [
      .file, .directory, .device, .eventfd, .eventpoll, .timerfd, .pidfd,
    ] as [Descriptor.Kind] {
      #expect(counts[kind, default: 0] >= 1, "\(kind)")
    }
    #expect(counts[.socket, default: 0] >= 2)
    #expect(counts[.pipe, default: 0] >= 3)
    var facts = Glibc.stat()
    #expect(fstat(pair[0], &facts) == 0)
    #expect(inodes.contains(UInt64(facts.st_ino)))
    withExtendedLifetime((event, loop, pidfd)) {}
  }

  @Test func socketsOfAProcessThatIsNotHeld() throws {
    let tree = try TestProc().process(7)
    for (number, link) in ["/dev/null", "socket:[12]", "pipe:[13]", "socket:[14]"].enumerated() {
      try tree.add("fd/\(number)", .link(link))
    }
    let root = try ProcRoot(path: tree.path, facts: facts)
    var reader = DirectoryReader()
    var buffer = ReadBuffer(capacity: 64, limit: 4096)
    var sockets: [UInt64] = []
    var others = 0
    try root.sockets(pid: 7, &reader, &buffer) { inode in
      if let inode { sockets.append(inode) } else { others += 1 }
      return true
    }
    #expect(sockets.sorted() == [12, 14] && others == 2)
    var looks = 0
    try root.sockets(pid: 7, &reader, &buffer) { _ in
      looks += 1
      return looks < 3
    }
    #expect(looks == 3)
    #expect(throws: ProcError.gone) { try root.sockets(pid: 8, &reader, &buffer) { _ in true } }
  }

  @Test func listingStopsWhenToldTo() throws {
    let tree = try TestProc().process(7)
    for number in 0..<5 { try tree.add("fd/\(number)", .link("socket:[\(number)]")) }
    var held = try Held(7, in: tree)
    var count = 0
    try held.handle.descriptors(&held.reader, &held.buffer) { _ in
      count += 1
      return count < 3
    }
    #expect(count == 3)
  }
}
