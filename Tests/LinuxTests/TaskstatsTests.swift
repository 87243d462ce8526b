import Glibc
import Synchronization
import TestSupport
import Testing

@testable import Linux

/// Whether this process may use taskstats; what else fails is a failure.
let canUseTaskstats: Bool = {
  do throws(TaskstatsFailure) {
    _ = try Taskstats()
    return true
  } catch {
    return error != .denied && error != .missing
  }
}()

@Suite struct TaskstatsTests {
  /// Sizes of the struct by version.
  private static let sizes: [UInt16: Int] = [
    8: 328, 9: 344, 10: 352, 11: 368, 12: 400, 13: 416, 14: 432, 16: 560,
  ]

  /// A struct in which every number is its own offset.
  private static func bytes(version: UInt16, count: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    while bytes.count < count { bytes += [UInt8](native: UInt64(bytes.count)) }
    bytes.replaceSubrange(0..<2, with: [UInt8](native: version))
    bytes.replaceSubrange(4..<8, with: [UInt8](native: UInt32(0x0100)))
    bytes[8] = 0x21
    bytes.replaceSubrange(80..<96, with: Array("a b ) ( c d\0junk".utf8))
    bytes.replaceSubrange(128..<132, with: [UInt8](native: UInt32(4711)))
    bytes.replaceSubrange(132..<136, with: [UInt8](native: UInt32(1)))
    if count >= 376 { bytes.replaceSubrange(368..<372, with: [UInt8](native: UInt32(4700))) }
    return bytes
  }

  @Test(arguments: sizes.keys.sorted())
  func fieldsOfEachVersion(version: UInt16) throws {
    let size = try #require(Self.sizes[version])
    let usage = TaskUsage(Self.bytes(version: version, count: size).span)
    for field in TaskUsage.Field.allCases {
      // Absent is not zero.
      let expected = field.offset < size ? UInt64(field.offset) : nil
      #expect(usage[field] == expected, "\(field)")
    }
    #expect((usage[.copyDelay] != nil) == (version >= 13))
    #expect((usage[.interruptDelay] != nil) == (version >= 14))
  }

  @Test func recordsNameTheProcess() throws {
    for (version, size) in Self.sizes {
      let record = ExitRecord(Self.bytes(version: version, count: size).span)
      #expect((record != nil) == (version >= 12))
      guard let record else { continue }
      #expect(record.process == 4700 && record.thread == 4711 && record.parent == 1)
      #expect(record.isLast && record.waitStatus == 0x0100)
      #expect(record.name == Array("a b ) ( c d".utf8))
    }
    // Its fields lie elsewhere.
    #expect(ExitRecord(Self.bytes(version: 15, count: 560).span) == nil)
  }

  @Test func cutAtEveryByte() {
    let bytes = Self.bytes(version: 16, count: 560)
    for count in 0...bytes.count {
      let cut = Array(bytes[..<count])
      let usage = TaskUsage(cut.span)
      for field in TaskUsage.Field.allCases {
        if let value = usage[field] {
          #expect(value == UInt64(field.offset) && field.offset + 8 <= count)
        }
      }
      #expect((ExitRecord(cut.span) == nil) == (count < 376))
    }
  }

  @Test func sumsKnowWhatBothKnow() {
    let new = TaskUsage(Self.bytes(version: 16, count: 560).span)
    let old = TaskUsage(Self.bytes(version: 11, count: 368).span)
    #expect((new + old)[.run] == 144 && (new + old)[.compactDelay] == 720)
    #expect((new + old)[.copyDelay] == nil)
    #expect((new - old)[.run] == 0 && (TaskUsage.zero - new)[.run] == 0)
    #expect((new - TaskUsage.zero)[.run] == 72)
  }

  // MARK: Live

  @Test(.enabled(if: canUseTaskstats, "taskstats needs CAP_NET_ADMIN and CONFIG_TASKSTATS"))
  func runTimeIsThatOfTheScheduler() throws {
    let taskstats = try Taskstats()
    let child = try Child("echo; while :; do :; done")
    func words(_ file: String) throws -> [Substring] {
      String(decoding: try contents("/proc/\(child.pid)/\(file)"), as: UTF8.self).split(
        separator: " ")
    }
    func runTime() throws -> UInt64 { UInt64(try words("schedstat")[0]) ?? 0 }
    #expect(try eventually { try runTime() > 20_000_000 })
    // Of one that is stopped, all that it ran is accounted for.
    kill(child.pid, SIGSTOP)
    #expect(try eventually { try words("stat")[2] == "T" })
    #expect(try taskstats.usage(process: child.pid)[.run] == (try runTime()))
    #expect(try taskstats.usage(thread: child.pid)[.run] == (try runTime()))
    #expect(throws: Errno.noSuchProcess) { _ = try taskstats.usage(process: .max) }
    #expect(throws: Errno.noSuchProcess) { _ = try taskstats.usage(thread: .max) }
  }

  @Test(.enabled(if: canUseTaskstats, "taskstats needs CAP_NET_ADMIN and CONFIG_TASKSTATS"))
  func endedThreadsAreIncludedWhereThatIsSaid() throws {
    let taskstats = try Taskstats()
    guard taskstats.includesEndedThreads else { return }
    let number = Atomic<Int32>(0)
    let before = try #require(try taskstats.usage(process: getpid())[.voluntarySwitches])
    let thread = try Thread(name: "sleeper") {
      number.store(currentThreadID(), ordering: .sequentiallyConsistent)
      for _ in 0..<200 { usleep(1) }
    }
    thread.join()
    let ended = number.load(ordering: .sequentiallyConsistent)
    #expect(eventually { (try? taskstats.usage(thread: ended)) == nil })
    let after = try #require(try taskstats.usage(process: getpid())[.voluntarySwitches])
    // A sleep that is over before it began is no switch.
    #expect(after >= before + 150)
  }

  @Test(.enabled(if: canUseTaskstats, "taskstats needs CAP_NET_ADMIN and CONFIG_TASKSTATS"))
  func endsAreTold() throws {
    let records = try ExitRecords(queueBytes: 4 << 20)
    let child = try TestSupport.Child("sh", "-c", "exit 3")
    child.reap()
    // No wait: the record comes before the end can be seen.
    var found: [ExitRecord] = []
    records.drain { if $0.process == child.pid { found.append($0) } }
    #expect(found.count == 1)
    let record = try #require(found.first)
    #expect(record.thread == child.pid && record.parent == getpid() && record.isLast)
    #expect(Linux.ExitStatus(waitStatus: record.waitStatus) == .exited(code: 3))
    #expect(record.name == Array("sh".utf8))
    // The kernel adds up run time when it looks, which a life this short can end before.
    #expect(record.usage[.run] != nil && record.usage[.minorFaults] ?? 0 > 0)
    #expect(records.lost == 0)
  }

  @Test(.enabled(if: canUseTaskstats, "taskstats needs CAP_NET_ADMIN and CONFIG_TASKSTATS"))
  func whatTheQueueCannotHoldIsCounted() throws {
    let records = try ExitRecords(queueBytes: 4096)
    let child = try TestSupport.Child("sh", "-c", "for i in 1 2 3 4 5 6 7 8 9 10; do (:); done")
    child.reap()
    var count: UInt64 = 0
    records.drain { _ in count += 1 }
    #expect(records.lost > 0 && count + records.lost >= 11)
    let lost = records.lost
    // It goes on.
    let next = try TestSupport.Child("true")
    next.reap()
    var isFound = false
    records.drain { if $0.process == next.pid { isFound = true } }
    #expect(isFound || records.lost > lost)
  }

  @Test func withoutTheCapabilityItIsDenied() throws {
    guard canUseTaskstats || !isRoot else { return }
    let failures = try onThread(named: "unprivileged") {
      dropCapabilities()
      var failures: [TaskstatsFailure] = []
      do throws(TaskstatsFailure) { _ = try Taskstats() } catch { failures.append(error) }
      do throws(TaskstatsFailure) { _ = try ExitRecords(queueBytes: 4096) } catch {
        failures.append(error)
      }
      return failures
    }
    #expect(failures == [.denied, .denied])
    #expect(failures.first?.description == "CAP_NET_ADMIN is missing")
  }
}

extension [UInt8] {
  fileprivate init(native number: some FixedWidthInteger) {
    self = Swift.withUnsafeBytes(of: number) { Array($0) }
  }
}
