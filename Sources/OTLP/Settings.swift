package import HTTPClient

/// Whom metrics are pushed to, and how.
package struct Settings: Sendable, Hashable {
  /// A field of each request: its name, and its value or the file that has it.
  package struct Field: Sendable, Hashable {
    package var name: String
    package var value: String

    package init(_ name: String, _ value: String) {
      self.name = name
      self.value = value
    }
  }

  /// Where a receiver is.
  package struct Receiver: Sendable, Hashable {
    /// As it is configured.
    package let url: String
    /// The same without what a query may hold.
    package var shown: String {
      url.utf8.contains(UInt8(ascii: "?")) ? url.prefix { $0 != "?" } + "?<secret>" : url
    }
    package let endpoint: Endpoint

    /// Takes a URL to which `/v1/metrics` is added.
    ///
    /// - Throws: What is wrong with it.
    package init(_ url: String) throws(Endpoint.ParseError) {
      self.url = url
      endpoint = try Endpoint(url, takesTLS: true, adding: "/v1/metrics")
    }
  }

  /// Nil to push nothing.
  package var receiver: Receiver?
  package var interval = Duration.seconds(15)
  /// How long one push may take, without the search for the host's address.
  package var timeout = Duration.seconds(10)
  /// Values that nobody may see.
  package var fields: [Field] = []
  /// Files with such values; they are read for each push.
  package var fieldFiles: [Field] = []
  package var isCompressed = true
  package var encryption = Encryption()

  /// How `https` is spoken; files are read again after a push that failed.
  package struct Encryption: Sendable, Hashable {
    /// PEM; nil for the authorities that the system trusts.
    package var authorityFile: String?
    /// PEM; both or none.
    package var certificateFile: String?
    package var keyFile: String?
    /// Whether any certificate will do.
    package var skipsVerification = false
    /// The name that the receiver's certificate is for; nil for that of the endpoint.
    package var serverName: String?

    package init() {}
  }

  package init() {}
}

/// Bounds on what receivers and files can make this room hold or wait for.
enum Limits {
  /// Bytes of a request before compression, as the protocol recommends.
  static let requestBytes = 64 << 20
  /// Bytes of an answer.
  static let answerBytes = 64 << 10
  /// Characters of a receiver's own words that are repeated.
  static let excerpt = 200
  /// Bytes of a file that the settings name.
  static let fileBytes = 1 << 20
  /// The first wait after a push that failed, which doubles each time, and the longest one.
  static let firstWait = Duration.seconds(1)
  static let longestWait = Duration.seconds(60)
  /// The longest wait that a receiver can ask for.
  static let longestRetryAfter = Duration.seconds(3600)
}
