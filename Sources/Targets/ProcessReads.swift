package import Linux
package import ProcFS

/// Reads the files of processes that wait for an `execve` to end, so that nobody waits for them.
///
/// A process that does not answer is late, and not asked again until it has answered.
package final class ProcessReads {
  /// Files of one batch: the two changes of threads that it costs are little beside so many reads.
  private static let batchLimit = 1024
  /// How many of them may be open for the batch only.
  private static let openLimit = 256
  /// How many held processes may hang at a time, and how many others.
  ///
  /// When more do, everything of their kind is late until one of them answers; others that hang must
  /// not use up what is for the held ones.
  private static let threads = 16
  /// How often `stat` is read again that is about a first thread which is no longer there.
  private static let repetitions = 3

  package let held: BatchReader
  package let others: BatchReader
  /// Memory that is used again and again.
  private var batch = ReadBatch()
  private var buffer = ReadBuffer(capacity: 4096, limit: 1 << 20)

  init() throws(Errno) {
    held = try BatchReader(threads: Self.threads)
    others = try BatchReader(threads: Self.threads)
  }

  /// Reads `stat` of held processes.
  func stats(
    _ members: [(Member, Target)], _ body: (Member, Target, Result<Stat, ProcError>) -> Void
  ) {
    read(members, held) { entry, batch in
      entry.0.handle.askStat(&batch)
    } answer: { entry, batch, place in
      let result = entry.0.stat(batch, place)
      if case .success(let stat) = result, stat.isSuperseded {
        body(entry.0, entry.1, Result { () throws(ProcError) in try self.stat(entry.0) })
      } else {
        body(entry.0, entry.1, result)
      }
    }
  }

  /// Reads `stat` of a held process; errors as in ``ProcessHandle/stat(_:_:keep:)``.
  package func stat(_ member: Member) throws(ProcError) -> Stat {
    for _ in 0...Self.repetitions {
      let stat = try one(member, ask: { $0.askStat(&$1) }, answer: { $0.stat($1, $2) })
      if !stat.isSuperseded { return stat }
    }
    throw .late(.stat)
  }

  /// Reads `io` of held processes.
  package func io(_ members: [Member], _ body: (Member, Result<IO, ProcError>) -> Void) {
    read(members, held) { member, batch in
      member.handle.askIO(&batch)
    } answer: { member, batch, place in
      body(member, member.io(batch, place))
    }
  }

  /// Reads `io` of a held process; errors as in ``ProcessHandle/io(_:_:keep:)``.
  package func io(_ member: Member) throws(ProcError) -> IO {
    try one(member, ask: { $0.askIO(&$1) }, answer: { $0.io($1, $2) })
  }

  /// Reads `stat` of processes that are not held.
  func stats(
    of pids: [Int32], in root: borrowing ProcRoot, _ body: (Int32, Result<Stat, ProcError>) -> Void
  ) {
    var pids = pids
    for _ in 0...Self.repetitions where !pids.isEmpty {
      var superseded: [Int32] = []
      read(pids, others) { pid, batch in
        root.askStat(pid: pid, &batch)
      } answer: { pid, batch, place in
        do throws(ProcError) {
          let stat = try root.stat(batch, place)
          if stat.isSuperseded { superseded.append(pid) } else { body(pid, .success(stat)) }
        } catch {
          body(pid, .failure(error))
        }
      }
      pids = superseded
    }
    for pid in pids { body(pid, .failure(.late(.stat))) }
  }

  /// Reads files of a held process' threads.
  ///
  /// - Parameters:
  ///   - files: The files of each.
  ///   - threads: The threads.
  ///   - directory: Where they are.
  ///   - body: Called with each thread, the batch and the place of the first of its files in it.
  package func threads(
    _ files: [SourceFile], of threads: [Int32], in directory: borrowing ThreadDirectory,
    _ body: (Int32, ReadBatch, Int) -> Void
  ) {
    let mayWait = files.contains(where: \.waitsForExec)
    read(threads, mayWait ? held : nil, files: files.count) { thread, batch in
      for file in files { directory.ask(file, of: thread, &batch) }
    } answer: { thread, batch, place in
      body(thread, batch, place)
    }
  }

  private func one<Record>(
    _ member: Member, ask: (borrowing ProcessHandle, inout ReadBatch) -> Void,
    answer: (Member, ReadBatch, Int) -> Result<Record, ProcError>
  ) throws(ProcError) -> Record {
    var found = Result<Record, ProcError>.failure(.gone)
    read([member], member.hasEnded ? nil : held) { member, batch in
      ask(member.handle, &batch)
    } answer: { member, batch, place in
      found = answer(member, batch, place)
    }
    return try found.get()
  }

  /// Reads files of many, a batch after the other.
  ///
  /// - Parameters:
  ///   - items: Whose files they are.
  ///   - reader: Who reads them; nil for those that do not wait.
  ///   - files: How many each has.
  ///   - ask: Adds the files.
  ///   - answer: Takes what was read, from the place of the first file on; may read others.
  private func read<Item>(
    _ items: [Item], _ reader: BatchReader?, files: Int = 1,
    ask: (Item, inout ReadBatch) -> Void, answer: (Item, ReadBatch, Int) -> Void
  ) {
    var batch = ReadBatch()
    swap(&batch, &self.batch)
    defer { swap(&batch, &self.batch) }
    var rest = items[...]
    while !rest.isEmpty {
      let some = rest
      while let item = rest.first, batch.count < Self.batchLimit,
        batch.openedCount < Self.openLimit
      {
        ask(item, &batch)
        rest.removeFirst()
      }
      if let reader { reader.read(&batch) } else { batch.readHere(&buffer) }
      for (index, item) in some.prefix(some.count - rest.count).enumerated() {
        answer(item, batch, index * files)
      }
      batch.removeAll()
    }
  }
}

extension Member {
  fileprivate func stat(_ batch: ReadBatch, _ place: Int) -> Result<Stat, ProcError> {
    do throws(ProcError) {
      return .success(try handle.stat(batch, place, keep: keepsFiles))
    } catch {
      return .failure(error)
    }
  }

  fileprivate func io(_ batch: ReadBatch, _ place: Int) -> Result<IO, ProcError> {
    do throws(ProcError) {
      return .success(try handle.io(batch, place, keep: keepsFiles))
    } catch {
      return .failure(error)
    }
  }
}
