package import Linux
package import ProcFS

/// The thread that collects, as the other threads see it.
///
/// Between collections it only notices that processes end. A collection that a process or a file
/// system holds up holds up nothing but itself.
package final class Sampler: Sendable {
  package enum Command: Sendable {
    /// Make a page; answered by ``Reply/page``.
    case collect(OwnState)
    /// Take over new settings from the next collection on.
    case configure(CollectorSettings)
    case stop
  }

  package enum Reply: Sendable {
    case page(Collector.Outcome)
    /// The thread could not start or go on; there will be no more replies.
    case failed(String)
  }

  private let commands: Mailbox<Command>

  /// Starts the thread.
  ///
  /// - Parameters:
  ///   - procPath: Where processes appear.
  ///   - facts: The machine's units.
  ///   - settings: The targets and limits.
  ///   - replies: Where answers go.
  /// - Throws: `EMFILE`, `ENFILE`, `EAGAIN` (no room for a thread).
  package init(
    procPath: String, facts: SystemFacts, settings: CollectorSettings, replies: Mailbox<Reply>
  ) throws(Errno) {
    let commands = try Mailbox<Command>()
    self.commands = commands
    let waiter = try Waiter()
    let thread = try Thread(name: "sampler") {
      do throws(Errno) {
        let loop = try EventLoop()
        let root = try ProcRoot(path: procPath, facts: facts)
        let collector = try Collector(root: root, settings: settings, loop: loop, waiter: waiter)
        let desk = Desk(collector, loop, commands, replies)
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

  /// Leaves a command for the thread.
  package func post(_ command: Command) { commands.post(command) }

  /// Takes the commands out of the mailbox, on the sampler's thread.
  private final class Desk: EventHandler {
    private let collector: Collector
    private let loop: EventLoop
    private let commands: Mailbox<Command>
    private let replies: Mailbox<Reply>

    init(
      _ collector: Collector, _ loop: EventLoop, _ commands: Mailbox<Command>,
      _ replies: Mailbox<Reply>
    ) {
      self.collector = collector
      self.loop = loop
      self.commands = commands
      self.replies = replies
    }

    func ready(_ token: EventToken, _ readiness: Readiness) {
      for command in commands.drain() {
        switch command {
        case .collect(let own):
          replies.post(.page(collector.collect(own)))
        case .configure(let settings): collector.configure(settings)
        case .stop: loop.stop()
        }
      }
    }

    func expired(_ token: EventToken) {}
  }
}
