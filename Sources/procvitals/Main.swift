import ArgumentParser
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
      var command = try Procvitals.parseAsRoot(
        ProcessExporterCommandLine.translated(arguments))
      try command.run()
    } catch let failure as Failure {
      report(failure.description)
      exit(failure.code)
    } catch {
      // Help and version come as errors too.
      let message = Procvitals.message(for: error)
      if Procvitals.exitCode(for: error) == .success {
        print(Procvitals.fullMessage(for: error))
        exit(0)
      }
      report("\(message); see procvitals --help")
      exit(2)
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
struct Procvitals: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "procvitals",
    abstract: "Reports the vital signs of chosen processes to Prometheus.",
    discussion: """
      Without a configuration and without --target the daemon watches itself.
      """,
    version: Version.text,
    subcommands: [
      Serve.self, Check.self, Explain.self, Once.self, Inspect.self, ListMetrics.self,
    ],
    defaultSubcommand: Serve.self)
}

/// The version of this program, in one place.
enum Version {
  static let number = "0.1.0"
  static let text = "procvitals \(number)"
}
