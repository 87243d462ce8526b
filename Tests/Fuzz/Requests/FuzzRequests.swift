// Looks for bytes that make the request parser trap, break a promise or depend on how they are cut.
//
// With the trait Fuzzing it is driven by libFuzzer and takes its arguments; without, it checks the
// files that it is given.
import RequestChecks
import TestSupport

#if LIBFUZZER
  @_cdecl("LLVMFuzzerTestOneInput")
  public func checkInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    checkThatCutsDoNotMatter(Array(UnsafeBufferPointer(start: bytes, count: count)))
    return 0
  }
#else
  @main enum Replay {
    static func main() throws {
      for path in CommandLine.arguments.dropFirst() {
        checkThatCutsDoNotMatter(try contents(path))
      }
    }
  }
#endif
