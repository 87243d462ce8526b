import Arguments
import Config
import Glibc
import Linux

/// The program: parses the command line and turns what went wrong into an exit code.
///
/// 0 is stopped, 1 failed while running, 2 a bad command line or configuration.
@main
struct Main {
  static func main() {
    fillStandardDescriptors()
    do {
      let arguments = Array(CommandLine.arguments.dropFirst())
      let words = try ProcessExporterCommandLine.translated(arguments)
      switch try Procvitals.program.parse(words) {
      case .run(let command): try command.run()
      case .print(let text):
        do throws(Errno) {
          try writeAll(Array(text.utf8), to: 1)
        } catch {
          throw Failure.running("standard output cannot be written: \(error)")
        }
      }
    } catch let failure as Failure {
      report(failure.description)
      exit(failure.code)
    } catch let error as ArgumentError {
      report("\(printable("\(error)")); see procvitals --help")
      exit(2)
    } catch {
      report("\(error)")
      exit(1)
    }
  }

  private static func report(_ message: String) {
    // Through its socket the journal would look up the unit of a process that may be gone by then;
    // of its stream it knows the unit and the program's name, but not that this is an error.
    let prefix = LogLine.Style(.logfmt) == .journal ? "<3>" : "procvitals: "
    let lines = message.split(separator: "\n").map { "\(prefix)\($0)\n" }.joined()
    // Nowhere is left to report that standard error is closed.
    _ = try? writeAll(Array(lines.utf8), to: 2)
  }
}

/// Why the program ends early.
struct Failure: Error, CustomStringConvertible {
  let code: Int32
  let description: String

  /// Bad command line or configuration.
  static func usage(_ description: String) -> Failure { Failure(code: 2, description: description) }
  /// Anything else.
  static func running(_ description: String) -> Failure {
    Failure(code: 1, description: description)
  }
}

/// The command and its subcommands.
enum Procvitals {
  static var program: Program {
    Program(
      "procvitals", about: "Reports the vital signs of chosen processes to Prometheus.",
      more: "Without a configuration and without --target the daemon watches itself.",
      version: Version.text, standard: Serve.self,
      others: [Check.self, Explain.self, Once.self, Inspect.self, ListMetrics.self],
      nearest: suggestion(for:among:))
  }
}

/// The version of this program, in one place.
enum Version {
  static let number = "0.1.0"
  static let text = "procvitals \(number)"
}
