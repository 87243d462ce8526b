// A program on the same server core as the daemon, for tests that need bodies, fixed answers or
// short deadlines. Never installed.
//
//   EchoServer ADDRESS [NAME=VALUE]...   a limit: seconds for a time, a whole number otherwise;
//                                        or tls=FILE: encrypted with FILE.pem and FILE.key
//
// It prints where it listens; SIGTERM ends it as it ends the daemon.
import Linux

do {
  try Echo.run(Array(CommandLine.arguments.dropFirst()))
} catch {
  try writeAll(Array("EchoServer: \(error)\n".utf8), to: 2)
  exitWithFailure()
}
