// Looks for files and memory of programs that make the reader of Go runtimes trap or never end.
//
// With the trait Fuzzing it is driven by libFuzzer and takes its arguments; without, it checks the
// files that it is given.
import GoChecks
import TestSupport

#if LIBFUZZER
  @_cdecl("LLVMFuzzerTestOneInput")
  public func checkInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    checkThatAnyProgramIsTaken(Array(UnsafeBufferPointer(start: bytes, count: count)))
    return 0
  }
#else
  @main enum Replay {
    static func main() throws {
      for path in CommandLine.arguments.dropFirst() {
        checkThatAnyProgramIsTaken(try contents(path))
      }
    }
  }
#endif
