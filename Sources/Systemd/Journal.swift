package import Linux

/// The journal's own socket, through which an entry has fields that can be searched for.
///
/// Not `sd_journal_sendv(3)`: that takes a journal which is not there for success, so that the entry
/// would be lost, and it needs libsystemd. The protocol is
/// https://systemd.io/JOURNAL_NATIVE_PROTOCOL.
package struct Journal: ~Copyable, Sendable {
  /// Bytes of a value; what is longer is cut.
  ///
  /// Of what stands on standard error the journal takes as much in a line (`LineMax=`), and an entry
  /// of a few such values fits into one datagram.
  package static let valueLimit = 48 << 10
  /// Where the journal listens.
  package static let path = "/run/systemd/journal/socket"
  /// Bytes of a name; the journal ignores longer ones.
  private static let nameLimit = 64

  private let socket: DatagramSocket
  private let path: String

  /// A way to the journal, which need not be there yet.
  ///
  /// - Parameter path: Where it listens; another place in tests.
  /// - Throws: `EMFILE`, `ENFILE`, `EAFNOSUPPORT` (unix sockets are not allowed).
  package init(path: String = path) throws(Errno) {
    socket = try DatagramSocket()
    self.path = path
  }

  /// Sends an entry, waiting as long as the journal takes none.
  ///
  /// - Parameter fields: Names as ``name(for:)`` makes them, and values.
  /// - Throws: `ENOENT` and `ECONNREFUSED` (no journal), `EMSGSIZE` (longer than the kernel allows
  ///   here).
  package func send(_ fields: [(name: String, value: String)]) throws(Errno) {
    try socket.send(Self.datagram(fields), to: path)
  }

  /// The entry as the protocol has it.
  static func datagram(_ fields: [(name: String, value: String)]) -> [UInt8] {
    var bytes: [UInt8] = []
    for (name, value) in fields {
      let value = value.utf8.beginning(atMost: valueLimit)
      bytes += name.utf8
      if value.allSatisfy({ $0 >= 0x20 }) {
        bytes.append(UInt8(ascii: "="))
      } else {
        // A line break would end the value: its length stands before it.
        bytes.append(UInt8(ascii: "\n"))
        let count = UInt64(value.count)
        for shift in stride(from: UInt64(0), to: 64, by: 8) {
          bytes.append(UInt8(truncatingIfNeeded: count >> shift))
        }
      }
      bytes += value
      bytes.append(UInt8(ascii: "\n"))
    }
    return bytes
  }

  /// The name of the field that has what a program calls so, in capitals.
  ///
  /// The journal takes letters, digits and `_`, and no name that begins with a digit or `_`.
  /// - Returns: Nil if nothing remains, or if the journal has a meaning of its own for the name.
  package static func name(for key: String) -> String? {
    let letters = key.utf8.map { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"): byte - 0x20
      case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): byte
      default: UInt8(ascii: "_")
      }
    }
    let name = String(
      decoding: letters.drop { $0 < UInt8(ascii: "A") || $0 == UInt8(ascii: "_") }
        .prefix(nameLimit), as: UTF8.self)
    let isTaken =
      ["MESSAGE", "MESSAGE_ID", "PRIORITY"].contains(name) || name.hasPrefix("SYSLOG_")
    return name.isEmpty || isTaken ? nil : name
  }
}
