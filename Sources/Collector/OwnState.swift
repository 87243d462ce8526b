/// What the exporter knows about itself when a page is made.
package struct OwnState: Sendable {
  /// A number with a name that becomes a label value.
  package struct Count: Sendable {
    package var name: String
    package var value: UInt64

    package init(_ name: String, _ value: UInt64) {
      self.name = name
      self.value = value
    }
  }

  /// Answered scrapes of one kind.
  package struct Scrapes: Sendable {
    package var format: String
    package var code: String
    package var count: UInt64

    package init(format: String, code: String, count: UInt64) {
      self.format = format
      self.code = code
      self.count = count
    }
  }

  /// What came of reading a configuration.
  package struct Load: Sendable {
    /// Whether the last attempt succeeded.
    package var isCurrent = true
    /// When the present one was loaded, seconds since 1970.
    package var loadedSeconds: Double

    package init(loadedSeconds: Double) { self.loadedSeconds = loadedSeconds }
  }

  /// What came of pushes.
  package struct Exports: Sendable {
    /// By outcome.
    package var counts: [Count]
    package var rejectedPoints: UInt64
    /// When one last succeeded, seconds since 1970.
    package var lastSuccess: Double?

    package init(counts: [Count], rejectedPoints: UInt64, lastSuccess: Double?) {
      self.counts = counts
      self.rejectedPoints = rejectedPoints
      self.lastSuccess = lastSuccess
    }
  }

  package var version: String
  /// When it started, in seconds since 1970; that of its counters.
  package var startSeconds: Double?
  package var config = Load(loadedSeconds: 0)
  /// Nil without a web configuration.
  package var webConfig: Load?
  /// When the first certificate of the server expires, in seconds since 1970; nil without TLS.
  package var certificateExpiration: Double?
  package var connections: [Count] = []
  package var connectionsRejected: [Count] = []
  package var scrapes: [Scrapes] = []
  package var scrapesInFlight: UInt64 = 0
  /// Nil if nothing was ever pushed.
  package var exports: Exports?

  // Filled in by the collection itself.
  var lateReads: [Count] = []
  var eventsLost: [Count] = []
  var capabilities: [Count] = []
  var scrapeSeconds: Double = 0
  var scrapeProcesses: UInt64 = 0

  package init(version: String) { self.version = version }
}
