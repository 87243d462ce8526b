/// What has happened at the endpoint, as far as the page tells it; belongs to the loop.
package struct Activity: Sendable {
  /// An answered scrape.
  package struct Scrape: Sendable, Equatable {
    /// Who asked, as it calls itself.
    package var client: String
    /// When, in seconds since 1970.
    package var seconds: Double
    /// How long the answer took, in seconds.
    package var duration: Double
    package var format: String
    package var isCompressed: Bool
    package var bytes: Int

    package init(
      client: String, seconds: Double, duration: Double, format: String, isCompressed: Bool,
      bytes: Int
    ) {
      self.client = client
      self.seconds = seconds
      self.duration = duration
      self.format = format
      self.isCompressed = isCompressed
      self.bytes = bytes
    }
  }

  /// Something that went wrong, once or more often.
  package struct Failure: Sendable, Equatable {
    /// Of what: `scrape`, `configuration` and the like.
    package var subject: String
    package var message: String
    package var count: UInt64
    /// In seconds since 1970.
    package var first: Double
    package var last: Double
  }

  package private(set) var scrape: Scrape?
  /// The last one comes first.
  package private(set) var failures: [Failure] = []
  private var minutes: [Int] = []
  /// The last one of them, since 1970.
  private var minute = 0
  /// In microseconds.
  private var durations: [Int] = []
  private var next = 0

  package init() {}

  package mutating func note(_ scrape: Scrape) {
    self.scrape = scrape
    turn(to: scrape.seconds)
    minutes[minutes.count - 1] += 1
  }

  /// Notes how long the collection for a page of metrics took, in seconds.
  package mutating func note(collection seconds: Double) {
    let duration = Int(seconds * 1e6)
    if durations.count < PageLimits.collections {
      durations.append(duration)
    } else {
      durations[next] = duration
      next = (next + 1) % PageLimits.collections
    }
  }

  /// Notes that something went wrong.
  ///
  /// - Parameters:
  ///   - subject: What.
  ///   - message: Why; of equal ones the number and the last time is kept.
  ///   - seconds: When, since 1970.
  package mutating func note(_ subject: String, _ message: String, at seconds: Double) {
    var failure = Failure(
      subject: subject, message: message, count: 0, first: seconds, last: seconds)
    if let known = failures.firstIndex(where: { $0.subject == subject && $0.message == message }) {
      failure = failures.remove(at: known)
    }
    failure.count &+= 1
    failure.last = seconds
    failures.insert(failure, at: 0)
    if failures.count > PageLimits.errors { failures.removeLast() }
  }

  /// Scrapes in each of the last minutes, the present one included, which comes last.
  package mutating func scrapesPerMinute(at seconds: Double) -> [Int] {
    turn(to: seconds)
    return minutes
  }

  /// The times that half, and all but a hundredth, of the last collections did not exceed.
  package var quantiles: (half: Double, most: Double)? {
    if durations.isEmpty { return nil }
    let sorted = durations.sorted()
    let last = sorted.count - 1
    return (Double(sorted[last / 2]) / 1e6, Double(sorted[last * 99 / 100]) / 1e6)
  }

  private mutating func turn(to seconds: Double) {
    let now = Int(seconds / 60)
    if minutes.isEmpty || now < minute || now - minute >= PageLimits.minutes {
      minutes = [Int](repeating: 0, count: PageLimits.minutes)
    } else {
      for _ in minute..<now {
        minutes.removeFirst()
        minutes.append(0)
      }
    }
    minute = now
  }
}

/// What the page says beside the targets: of this program, its configuration and its endpoint.
package struct Surroundings: Sendable {
  /// A file with settings, and what came of it.
  package struct Settings: Sendable {
    package var files: [String]
    /// In seconds since 1970.
    package var loadedSeconds: Double
    /// Why the files say something else than what holds; nil if they do not.
    package var error: String?

    package init(files: [String], loadedSeconds: Double, error: String?) {
      self.files = files
      self.loadedSeconds = loadedSeconds
      self.error = error
    }
  }

  /// Paths as others have to ask for them.
  package struct Links: Sendable {
    package let metrics: String
    private let prefix: String

    /// - Parameters:
    ///   - prefix: What stands before the path of each endpoint.
    ///   - metrics: The path of the metrics.
    package init(prefix: String, metrics: String) {
      self.prefix = prefix
      self.metrics = prefix + metrics
    }

    var probe: String { prefix + "/probe" }
    var health: String { prefix + "/health" }
    var targets: String { prefix + "/api/v1/targets" }
    var config: String { prefix + "/api/v1/config" }
    var history: String { prefix + "/api/v1/history" }
    var discovery: String { prefix + "/sd" }
    var style: String { prefix + "/assets/page.css" }
    var script: String { prefix + "/assets/page.js" }
  }

  package var version = ""
  package var host = ""
  /// In seconds since 1970.
  package var startSeconds = 0.0
  package var links: Links
  package var listening: [String] = []
  package var settings = Settings(files: [], loadedSeconds: 0, error: nil)
  /// Nil without a web configuration.
  package var webSettings: Settings?
  package var isEncrypted = false
  /// When the first certificate expires that clients are shown, in seconds since 1970.
  package var certificateExpiration: Double?
  package var needsPassword = false
  package var scrape: Activity.Scrape?
  package var scrapesPerMinute: [Int] = []
  package var quantiles: (half: Double, most: Double)?
  package var failures: [Activity.Failure] = []

  package init(links: Links) { self.links = links }
}
