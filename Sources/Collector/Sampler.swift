package import Linux
package import ProcFS
import Synchronization

/// The thread that collects, as the other threads see it.
///
/// Between collections it only notices that processes end. A collection that a process or a file
/// system holds up holds up nothing but itself. What is made of an outcome is made there too, so that
/// whoever asked does nothing that takes longer with more targets.
package final class Sampler<Report: Sendable>: Sendable {
  /// Makes of an outcome, and what was wished, what comes back.
  package typealias Tell = @Sendable (Collector.Outcome, Set<Wish>) -> Report

  private enum Command: Sendable {
    case collect(OwnState, Set<Wish>, until: Instant?)
    case stop
  }

  package enum Reply: Sendable {
    case page(Report)
    /// The thread could not start or go on; there will be no more replies.
    case failed(String)
  }

  private let commands: Mailbox<Command>
  /// The newest settings that the thread has not taken over yet: while it is held up, reloads must
  /// not pile up.
  private let settings: Pending<CollectorSettings>

  /// Starts the thread.
  ///
  /// - Parameters:
  ///   - procPath: Where processes appear.
  ///   - cgroupPath: Where control groups are mounted.
  ///   - facts: The machine's units.
  ///   - settings: The targets and limits.
  ///   - replies: Where answers go.
  ///   - tell: What they are.
  /// - Throws: `EMFILE`, `ENFILE`, `EAGAIN` (no room for a thread).
  package init(
    procPath: String, cgroupPath: String, facts: SystemFacts, settings: CollectorSettings,
    replies: Mailbox<Reply>, tell: @escaping Tell
  ) throws(Errno) {
    let commands = try Mailbox<Command>()
    let pending = Pending<CollectorSettings>()
    self.commands = commands
    self.settings = pending
    let waiter = try Waiter()
    let thread = try Thread(name: "sampler") {
      do throws(Errno) {
        let loop = try EventLoop()
        let root = try ProcRoot(path: procPath, facts: facts)
        let collector = try Collector(
          root: root, cgroups: CgroupTree(path: cgroupPath), settings: settings, loop: loop,
          waiter: waiter)
        let desk = Desk(collector, loop, commands, pending, replies, tell)
        let token = try loop.add(commands.wake.fd, .readable, desk)
        try loop.run()
        // The loop and its handlers hold each other.
        loop.remove(token)
      } catch {
        replies.post(.failed("the sampler cannot go on: \(error)"))
      }
      waiter.stop()
    }
    // Nobody waits for it at the end: it may itself be waiting for a file system.
    thread.detach()
  }

  /// Asks for a collection, of which comes ``Reply/page``; no other one is asked for until then.
  ///
  /// - Parameters:
  ///   - own: What the exporter knows about itself.
  ///   - wishes: What it is for.
  ///   - deadline: When it has to make do with the targets that were read by then.
  package func collect(
    _ own: OwnState, _ wishes: Set<Wish> = [.page()], until deadline: Instant? = nil
  ) {
    commands.post(.collect(own, wishes, until: deadline))
  }

  /// Takes over new settings from the next collection on.
  package func configure(_ new: CollectorSettings) { settings.put(new) }

  /// Ends the thread after what it does now.
  package func stop() { commands.post(.stop) }

  /// A place for one value, of which only the newest counts.
  private final class Pending<Value: Sendable>: Sendable {
    private let value = Mutex<Value?>(nil)

    func put(_ new: Value) { value.withLock { $0 = new } }

    func take() -> Value? {
      value.withLock { value in
        defer { value = nil }
        return value
      }
    }
  }

  /// Takes the commands out of the mailbox, on the sampler's thread.
  private final class Desk: EventHandler {
    private let collector: Collector
    private let loop: EventLoop
    private let commands: Mailbox<Command>
    private let settings: Pending<CollectorSettings>
    private let replies: Mailbox<Reply>
    private let tell: Tell

    init(
      _ collector: Collector, _ loop: EventLoop, _ commands: Mailbox<Command>,
      _ settings: Pending<CollectorSettings>, _ replies: Mailbox<Reply>, _ tell: @escaping Tell
    ) {
      self.collector = collector
      self.loop = loop
      self.commands = commands
      self.settings = settings
      self.replies = replies
      self.tell = tell
    }

    func ready(_ token: EventToken, _ readiness: Readiness) {
      for command in commands.drain() {
        switch command {
        case .collect(let own, let wishes, let deadline):
          if let new = settings.take() { collector.configure(new) }
          let outcome = collector.collect(own, wishes) { deadline.map { .now >= $0 } ?? false }
          replies.post(.page(tell(outcome, wishes)))
        case .stop: loop.stop()
        }
      }
    }

    func expired(_ token: EventToken) {}
  }
}
