import Foundation
import TestSupport
import Testing

@testable import Linux
@testable import ProcFS
@testable import Targets

@Suite(.timeLimit(.minutes(3))) struct RosterTests {
  @Test func findsProcessesByNameAndSeesThemComeAndGo() throws {
    let scratch = try Scratch()
    let name = uniqueName()
    let roster = try Roster.live([.name("t", name)])
    roster.refresh()
    #expect(roster.pids("t") == [])
    let a = try Child(sleepingAs: name, in: scratch)
    let b = try Child(sleepingAs: name, in: scratch)
    // A child goes by its parent's name until it has called exec.
    #expect(
      eventually {
        roster.refresh()
        return roster.pids("t") == [a.pid, b.pid].sorted()
      })
    a.kill()
    roster.refresh()
    #expect(roster.pids("t") == [b.pid])
    #expect(roster.target("t")?.starts == 2)
  }

  @Test func findsAProcessByItsProgram() throws {
    let scratch = try Scratch()
    let name = uniqueName()
    let child = try Child(sleepingAs: name, in: scratch)
    let rule = Rule(
      name: "t", selector: Selector(executables: [Glob(scratch.path + "/*")]))
    let roster = try Roster.live([rule])
    #expect(
      eventually {
        roster.refresh()
        return roster.pids("t") == [child.pid]
      })
  }

  @Test func allConditionsMustHold() throws {
    let scratch = try Scratch()
    let name = uniqueName()
    let child = try Child(sleepingAs: name, in: scratch)
    let both = Selector(processNames: [Glob(name)], executables: [Glob("*/" + name)])
    let contradiction = Selector(processNames: [Glob(name)], executables: [Glob("/nowhere/*")])
    let roster = try Roster.live([
      Rule(name: "no", selector: contradiction), Rule(name: "yes", selector: both),
    ])
    #expect(
      eventually {
        roster.refresh()
        return roster.pids("yes") == [child.pid]
      })
    #expect(roster.pids("no") == [])
  }

  @Test func theFirstRuleThatFitsWins() throws {
    let scratch = try Scratch()
    let name = uniqueName()
    let child = try Child(sleepingAs: name, in: scratch)
    let byNumber = Rule(name: "number", selector: Selector(pid: child.pid))
    for rules in [
      [byNumber, .name("name", name)], [Rule.name("name", name), byNumber],
    ] {
      let roster = try Roster.live(rules)
      #expect(
        eventually {
          roster.refresh()
          return roster.pids(rules[0].name.description) == [child.pid]
        })
      #expect(roster.pids(rules[1].name.description) == [])
    }
  }

  @Test func takesChildrenAlongUnlessAnotherRuleFitsThem() throws {
    let scratch = try Scratch()
    let (shell, worker) = (uniqueName("ps"), uniqueName("pw"))
    let own = uniqueName("po")
    for name in [worker, own] {
      try FileManager.default.copyItem(atPath: "/bin/sleep", toPath: scratch.file(name))
    }
    let script =
      "\(scratch.file(worker)) 60 & (\(scratch.file(worker)) 60; :) & \(scratch.file(own)) 60 & wait"
    let parent = try Child("/bin/dash", as: shell, in: scratch, ["-c", script])
    let rules: [Rule] = [.name("tree", shell, children: true), .name("own", own)]
    let roster = try Roster.live(rules)
    #expect(
      eventually {
        roster.refresh()
        // The shell, the subshell and two workers.
        return roster.pids("tree").count == 4 && roster.pids("own").count == 1
      })
    let workers = roster.pids("tree").filter { $0 != parent.pid }
    // When the parent is gone, its descendants stay with the target although they have another
    // parent now.
    parent.kill()
    roster.refresh()
    #expect(roster.pids("tree") == workers)
    roster.refresh()
    #expect(roster.pids("tree") == workers)
    for pid in workers + roster.pids("own") { kill(pid, SIGKILL) }
    #expect(
      eventually {
        roster.refresh()
        return roster.pids("tree").isEmpty && roster.pids("own").isEmpty
      })
  }

  @Test func followsAPidFile() throws {
    let scratch = try Scratch()
    let rule = Rule(name: "t", selector: Selector(pidFile: scratch.file("pid")))
    let roster = try Roster.live([rule])
    roster.refresh()
    let target = try #require(roster.target("t"))
    #expect(target.troubles == [Trouble(.pidFile, .missing): 1])

    let a = try Child(sleepingAs: uniqueName(), in: scratch)
    try scratch.write("pid", "\(a.pid)\n")
    roster.refresh()
    #expect(roster.pids("t") == [a.pid])

    // A restart: another process, another number in the file.
    a.kill()
    let b = try Child(sleepingAs: uniqueName(), in: scratch)
    try scratch.write("pid", "\(b.pid)\n")
    roster.refresh()
    #expect(roster.pids("t") == [b.pid])
    #expect(target.starts == 2)

    // The file is gone: nothing says that the process is still the one.
    try FileManager.default.removeItem(atPath: scratch.file("pid"))
    roster.refresh()
    #expect(roster.pids("t") == [])
    #expect(target.troubles[Trouble(.pidFile, .missing)] == 2)
  }

  @Test func refusesAProcessThatIsYoungerThanItsPidFile() throws {
    let scratch = try Scratch()
    let child = try Child(sleepingAs: uniqueName(), in: scratch)
    try scratch.write("pid", "\(child.pid)\n")
    let hourAgo = Date(timeIntervalSinceNow: -3600)
    try FileManager.default.setAttributes(
      [.modificationDate: hourAgo], ofItemAtPath: scratch.file("pid"))
    let roster = try Roster.live([
      Rule(name: "t", selector: Selector(pidFile: scratch.file("pid")))
    ])
    roster.refresh()
    #expect(roster.pids("t") == [])
    let target = try #require(roster.target("t"))
    #expect(target.troubles == [Trouble(.pidFile, .stale): 1])
    let changes = target.takeTroubleChanges()
    #expect(changes.began.count == 1)
    #expect(changes.began.first?.1.contains("process \(child.pid) is now") == true)
    // The way out that the message names.
    try FileManager.default.setAttributes(
      [.modificationDate: Date()], ofItemAtPath: scratch.file("pid"))
    roster.refresh()
    #expect(roster.pids("t") == [child.pid])
    #expect(target.takeTroubleChanges().ended == [Trouble(.pidFile, .stale)])
  }

  @Test func aPidFileThatDoesNotAnswerKeepsWhatItSaid() throws {
    let scratch = try Scratch()
    let child = try Child(sleepingAs: uniqueName(), in: scratch)
    try scratch.write("pid", "\(child.pid)\n")
    let waiter = try Waiter(threads: 1, patience: .seconds(60))
    let limits = Roster.Limits(
      keptDescriptors: 10, processesPerTarget: 10, pidFilePatience: .milliseconds(200))
    let roster = try Roster(
      root: ProcRoot(path: "/proc", facts: .current()), loop: EventLoop(), waiter: waiter,
      limits: limits)
    roster.setRules(
      [Rule(name: "t", selector: Selector(pidFile: scratch.file("pid")))], limits)
    roster.refresh()
    #expect(roster.pids("t") == [child.pid])
    // The only waiter thread hangs, as it would on a dead network file system.
    let hold = try EventFD()
    #expect(waiter.submit { _ = hold.wait(atMost: nil) })
    roster.refresh()
    #expect(roster.pids("t") == [child.pid])
    #expect(roster.target("t")?.troubles == [Trouble(.pidFile, .late): 1])
    hold.signal()
    #expect(
      eventually {
        let before = roster.target("t")?.troubles
        roster.refresh()
        return roster.target("t")?.troubles == before
      })
    waiter.stop()
  }

  @Test func aNumberMeansTheProcessThatHadItFirst() throws {
    let scratch = try Scratch()
    let child = try Child(sleepingAs: uniqueName(), in: scratch)
    let roster = try Roster.live([Rule(name: "t", selector: Selector(pid: child.pid))])
    roster.refresh()
    #expect(roster.pids("t") == [child.pid])
    let target = try #require(roster.target("t"))
    child.kill()
    roster.refresh()
    #expect(roster.pids("t") == [])
    #expect(target.troubles == [Trouble(.process, .gone): 1])
  }

  @Test(arguments: [
    ("exit 0", Exit.Reason.exited, "0"), ("exit 3", .exited, "3"), ("exit 255", .exited, "255"),
    ("kill -KILL $$", .signalled, "SIGKILL"), ("kill -TERM $$", .signalled, "SIGTERM"),
  ])
  func countsHowAProcessEnded(command: String, reason: Exit.Reason, status: String) throws {
    guard try kernelTellsExits() else {
      print("SKIPPED: this kernel does not tell exit statuses (PIDFD_GET_INFO, Linux 6.15)")
      return
    }
    let scratch = try Scratch()
    let name = uniqueName()
    let input = Pipe()
    let child = try Child(
      "/bin/dash", as: name, in: scratch, ["-c", "read line; \(command)"],
      input: input.fileHandleForReading)
    let loop = try EventLoop()
    let roster = try Roster.live([.name("t", name)], loop: loop)
    #expect(
      eventually {
        roster.refresh()
        return roster.pids("t").count == 1
      })
    try input.fileHandleForWriting.write(contentsOf: Data("\n".utf8))
    child.reap()
    // Without a collection: the end arrives through the pidfd.
    let target = try #require(roster.target("t"))
    while target.exits.isEmpty { try loop.turn() }
    #expect(target.exits == [exit(reason, status): 1])
    #expect(target.members.isEmpty)
  }

  @Test func anEndIsCountedOnceHoweverItIsNoticed() throws {
    let scratch = try Scratch()
    let name = uniqueName()
    let child = try Child(sleepingAs: name, in: scratch)
    let loop = try EventLoop()
    let roster = try Roster.live([.name("t", name)], loop: loop)
    #expect(
      eventually {
        roster.refresh()
        return roster.pids("t") == [child.pid]
      })
    child.kill()
    // Noticed by reading first; the event of the pidfd is still on its way.
    roster.refresh()
    roster.refresh()
    let target = try #require(roster.target("t"))
    while target.exits.isEmpty { try loop.turn() }
    #expect(target.exits.values.reduce(0, +) == 1)
  }

  @Test func newRulesKeepTheCountsOfNamesThatStay() throws {
    let scratch = try Scratch()
    let (first, second) = (uniqueName(), uniqueName())
    let a = try Child(sleepingAs: first, in: scratch)
    let b = try Child(sleepingAs: second, in: scratch)
    let limits = Roster.Limits(keptDescriptors: 100, processesPerTarget: 100)
    let roster = try Roster.live([.name("stays", first), .name("goes", second)])
    #expect(
      eventually {
        roster.refresh()
        return roster.pids("stays") == [a.pid] && roster.pids("goes") == [b.pid]
      })
    var left: [Int32] = []
    roster.willLeave = { _, member in left.append(member.pid) }
    let before = try #require(roster.target("stays"))
    roster.setRules([.name("new", second), .name("stays", first)], limits)
    #expect(left == [b.pid])
    roster.refresh()
    #expect(roster.target("stays") === before)
    #expect(before.starts == 1)
    #expect(roster.pids("new") == [b.pid])
  }

  /// Of a process that ended unseen nobody knows the program any more.
  @Test func endsThatAnEarlierRuleCouldFitAreNobodys() throws {
    let byProgram = Rule(name: "first", selector: Selector(executables: [Glob("/opt/*")]))
    let byName = Rule(name: "second", selector: Selector(processNames: [Glob("rv*")]))
    func claim(_ rules: [Rule]) throws -> String {
      let roster = try Roster.live(rules)
      switch roster.claim(ended: .max, name: Array("rvspin".utf8), parent: 1) {
      case .target(let target, _): return target.name
      case let other: return "\(other)"
      }
    }
    #expect(try claim([byProgram, byName]) == "ambiguous")
    #expect(try claim([byName, byProgram]) == "second")
    #expect(try claim([byProgram]) == "nobody")
  }

  @Test func moreProcessesThanAllowedAreLeftOutAndCounted() throws {
    let scratch = try Scratch()
    let name = uniqueName()
    let children = try (0..<4).map { _ in try Child(sleepingAs: name, in: scratch) }
    let limits = Roster.Limits(keptDescriptors: 4, processesPerTarget: 2)
    let roster = try Roster.live([.name("t", name)], limits: limits)
    #expect(
      eventually {
        roster.refresh()
        return roster.pids("t").count == 2
          && (roster.target("t")?.troubles[Trouble(.process, .limit)] ?? 0) >= 2
      })
    // One process may keep its files open, the budget is spent then.
    #expect(roster.target("t")?.members.count { $0.keepsFiles } == 1)
    for child in children { child.kill() }
    #expect(
      eventually {
        roster.refresh()
        return roster.pids("t").isEmpty
      })
  }

  @Test func runningOutOfDescriptorsIsAReason() throws {
    let scratch = try Scratch()
    let name = uniqueName()
    let child = try Child(sleepingAs: name, in: scratch)
    let roster = try Roster.live([Rule(name: "t", selector: Selector(pid: child.pid))])
    #if DEBUG
      // The first opens look the number up, the third takes hold of the process.
      Faults.force(.open, .tooManyOpenFiles, skip: 2) { roster.refresh() }
      #expect(roster.target("t")?.troubles == [Trouble(.file(.stat), .descriptors): 1])
    #endif
    roster.refresh()
    #expect(roster.pids("t") == [child.pid])
  }

  private func exit(_ reason: Exit.Reason, _ status: String) -> Exit {
    switch reason {
    case .exited: Exit(.exited(code: Int32(status) ?? -1))
    default:
      Exit(.signalled(signal: status == "SIGKILL" ? SIGKILL : SIGTERM, coreDumped: false))
    }
  }

  private func kernelTellsExits() throws -> Bool {
    let scratch = try Scratch()
    let child = try Child(sleepingAs: uniqueName(), in: scratch)
    let pidfd = try PidFD(pid: child.pid)
    child.kill()
    return pidfd.exitStatus() != nil
  }
}
