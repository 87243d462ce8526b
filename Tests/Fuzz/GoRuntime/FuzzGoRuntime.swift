// Looks for files and memory of programs that make the reader of Go runtimes trap or never end.
//
// With the trait Fuzzing it is driven by libFuzzer and takes its arguments; without, it checks the
// files that it is given.
import Glibc
import GoChecks

#if LIBFUZZER
  @_cdecl("LLVMFuzzerTestOneInput")
  public func checkInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    checkThatAnyProgramIsTaken(Array(UnsafeBufferPointer(start: bytes, count: count)))
    return 0
  }
#else
  @main enum Replay {
    static func main() {
      for path in CommandLine.arguments.dropFirst() {
        guard let file = fopen(path, "r") else {
          perror(path)
          exit(2)
        }
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        bytes.removeLast(bytes.count - fread(&bytes, 1, bytes.count, file))
        fclose(file)
        checkThatAnyProgramIsTaken(bytes)
      }
    }
  }
#endif
