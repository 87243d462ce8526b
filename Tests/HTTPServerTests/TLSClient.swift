import Foundation
import Synchronization
import TLS
import TestSupport

@testable import HTTPServer

/// Keys and certificates for tests, made once per run.
enum TestCertificates {
  /// Where they are; `Tests/EndToEnd/certificates.sh` says what there is.
  static let directory: String = {
    let path = NSTemporaryDirectory() + "procvitals-certificates-\(getpid())"
    try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appending(path: "../EndToEnd/certificates.sh").path
    let made = run("/bin/bash", [script, path])
    precondition(made.status == 0, made.output)
    atexit { try? FileManager.default.removeItem(atPath: TestCertificates.directory) }
    return path
  }()

  static func file(_ name: String) -> [UInt8] {
    [UInt8](FileManager.default.contents(atPath: "\(directory)/\(name)") ?? Data())
  }

  /// Settings with the certificate and key of a name.
  static func settings(
    _ name: String = "server", _ change: (inout TLSSettings) -> Void = { _ in }
  ) -> TLSSettings {
    var settings = TLSSettings(
      certificateChain: file("\(name).pem"), privateKey: Secret(file("\(name).key")))
    change(&settings)
    return settings
  }
}

/// Runs a program and waits for it.
func run(
  _ program: String, _ arguments: [String], input: String = ""
) -> (status: Int32, output: String) {
  guard let child = try? TalkingChild([program] + arguments) else {
    return (-1, "\(program) does not start")
  }
  child.write(input)
  let (code, output) = child.end()
  return (code, String(decoding: output, as: UTF8.self))
}

/// Runs a Python program that has a TLS client at hand, and returns what it prints.
///
/// `connect(context(…))` connects, `get(s, path)` and `answer(s)` return status and body, and
/// `tried(call)` is "refused" if the server ends the connection.
func python(_ port: UInt16, _ program: String) -> String {
  let text = run(
    "/usr/bin/python3", ["-c", prelude + program, "\(port)", TestCertificates.directory]
  )
  .output
  return text.trimmingCharacters(in: .whitespacesAndNewlines)
}

private let prelude = """
  import socket, ssl, sys, warnings
  warnings.simplefilter("ignore")
  port, directory = int(sys.argv[1]), sys.argv[2]
  V = ssl.TLSVersion
  def context(cert=None, low=None, high=None, ciphers=None, alpn=None):
    c = ssl.create_default_context(cafile=directory + "/root.pem")
    if cert: c.load_cert_chain(f"{directory}/{cert}.pem", f"{directory}/{cert}.key")
    if ciphers: c.set_ciphers(ciphers)
    if low: c.minimum_version = low
    if high: c.maximum_version = high
    if alpn: c.set_alpn_protocols(alpn)
    return c
  def plain():
    return socket.create_connection(("127.0.0.1", port), timeout=30)
  def connect(c=None):
    return (c or context()).wrap_socket(plain(), server_hostname="localhost")
  def answer(s, head=False):
    data = b""
    while b"\\r\\n\\r\\n" not in data:
      more = s.recv(1)
      if not more: raise EOFError
      data += more
    fields = data.decode().split("\\r\\n")
    length = [int(f[15:]) for f in fields if f.startswith("Content-Length:")]
    body = b""
    while length and not head and len(body) < length[0]:
      body += s.recv(length[0] - len(body))
    return int(fields[0].split()[1]), body
  def send(s, path="/", method="GET", fields="", body=b""):
    s.sendall(f"{method} {path} HTTP/1.1\\r\\nHost: a\\r\\n{fields}\\r\\n".encode() + body)
  def get(s, path="/"):
    send(s, path)
    return answer(s)
  def tried(call):
    try: return call()
    except (ssl.SSLError, ConnectionError, EOFError): return "refused"

  """
