import CLinux
import Glibc

/// The kernel's number of the calling thread.
///
/// The corresponding system call is `gettid(2)`.
package func currentThreadID() -> Int32 { clinux_gettid() }

/// Whether a thread of this process runs or waits for nothing but its turn, as
/// `/proc/self/task/TID/stat` says; false where that cannot be read.
func isRunnable(thread: Int32) -> Bool {
  var buffer = ReadBuffer(capacity: 1024, limit: 1024)
  do throws(Errno) {
    try buffer.readRecord(try openFile("/proc/self/task/\(thread)/stat", .read))
  } catch {
    return false
  }
  let line = buffer.storage.span.extracting(0..<buffer.count)
  // The name is in parentheses and may contain some.
  return line.lastIndex(of: UInt8(ascii: ")")).map { line.hasPrefix(" R", at: $0 + 1) } ?? false
}

/// A running thread; it must be joined before it goes out of scope.
package struct Thread: ~Copyable {
  private let handle: pthread_t

  /// Starts a thread with every signal blocked.
  ///
  /// The corresponding C function is `pthread_create(3)`.
  /// - Parameters:
  ///   - name: Shown by `ps -L` and in /proc; at most 15 bytes.
  ///   - body: What it runs. State that the thread owns is made inside.
  /// - Throws: `EAGAIN` when the system has no room for another thread.
  package init(name: String, _ body: @escaping @Sendable () -> Void) throws(Errno) {
    let start = unsafe Unmanaged.passRetained(Start(name: name, body: body))
    var handle = pthread_t()
    // The new thread inherits the mask, so that every signal goes to the loop's signalfd.
    var all = sigset_t()
    var before = sigset_t()
    unsafe sigfillset(&all)
    unsafe pthread_sigmask(SIG_BLOCK, &all, &before)
    let code = unsafe pthread_create(&handle, nil, threadMain, start.toOpaque())
    unsafe pthread_sigmask(SIG_SETMASK, &before, nil)
    if code != 0 {
      unsafe start.release()
      throw Errno(code)
    }
    self.handle = handle
  }

  /// Waits until the thread's body returns.
  ///
  /// The corresponding C function is `pthread_join(3)`.
  package consuming func join() {
    _ = pthread_join(handle, nil)
  }

  /// Lets the thread run on without anybody waiting for it, as for one stuck in the kernel.
  ///
  /// The corresponding C function is `pthread_detach(3)`.
  package consuming func detach() {
    _ = pthread_detach(handle)
  }
}

private final class Start: Sendable {
  let name: String
  let body: @Sendable () -> Void

  init(name: String, body: @escaping @Sendable () -> Void) {
    self.name = name
    self.body = body
  }
}

private func threadMain(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
  guard let argument = unsafe argument else { return nil }
  // SAFETY: the pointer is the retained `Start` that `Thread.init` passed, taken over once.
  let start = unsafe Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
  _ = unsafe clinux_name_this_thread(start.name)
  start.body()
  return nil
}

/// The number of this process.
///
/// The corresponding system call is `getpid(2)`.
package func processID() -> Int32 { getpid() }

/// The effective user of this process.
///
/// The corresponding system call is `geteuid(2)`.
package func effectiveUserID() -> UInt32 { geteuid() }

/// A variable of the environment.
///
/// The corresponding C function is `getenv(3)`.
package func environmentVariable(_ name: String) -> String? {
  guard let value = unsafe getenv(name) else { return nil }
  return unsafe String(cString: value)
}
