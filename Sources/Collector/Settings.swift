package import GoReports
package import Targets

/// One target as it is configured.
package struct TargetSettings: Sendable, Hashable {
  package var rule: Rule
  package var selection: Selection
  /// Where Go figures come from, if not from memory.
  package var goSource: GoSource?
  /// Those that are in force.
  package var thresholds: Thresholds

  package init(
    rule: Rule, selection: Selection = Selection(), goSource: GoSource? = nil,
    thresholds: Thresholds = [:]
  ) {
    self.rule = rule
    self.selection = selection
    self.goSource = goSource
    self.thresholds = thresholds
  }
}

/// Bounds on what a configuration or a machine can make the daemon hold.
package struct CollectorLimits: Sendable, Hashable {
  /// Files of /proc and of control groups that stay open between scrapes.
  ///
  /// Each saves about half of its reading cost and takes 4.3 kB of kernel memory; beyond the
  /// number, files are opened for each scrape.
  package var keptDescriptors: Int
  /// Targets, those that variables make included.
  package var targets: Int
  /// Processes of one target; further ones are left out and counted.
  package var processesPerTarget: Int
  /// Samples of one target on a page; further ones are left out and counted.
  package var seriesPerTarget: Int
  /// Threads of one process that are looked at one by one.
  package var threadsPerProcess: Int
  /// Open descriptors of one process that are looked at one by one.
  package var descriptorsPerProcess: Int
  /// Control groups of one target's processes; further ones are left out.
  package var cgroupsPerTarget: Int
  /// Bytes resident in the processes whose proportional memory one collection reads, beside a few
  /// small ones.
  package var pssBytesPerScrape: Int
  /// Bytes resident in the largest process whose proportional memory is read.
  package var pssBytesPerProcess: Int
  /// Different programs, users and control groups that are told of one target.
  package var infoSeriesPerTarget: Int
  /// Names of threads that one target has series for; the others share one.
  package var threadNamesPerTarget: Int
  /// Wait channels that one target has series for; the others share one.
  package var waitChannelsPerTarget: Int
  /// Sockets of one network namespace that are looked at.
  package var socketsPerNamespace: Int
  /// Network namespaces whose sockets are looked at in one collection.
  package var networkNamespaces: Int
  /// Addresses of one target that series are made for.
  package var listenAddresses: Int

  package init(
    keptDescriptors: Int = 5120, targets: Int = 10_000, processesPerTarget: Int = 10_000,
    seriesPerTarget: Int = 2000,
    threadsPerProcess: Int = 2000, descriptorsPerProcess: Int = 10_000,
    cgroupsPerTarget: Int = 1000, pssBytesPerScrape: Int = 1 << 30,
    pssBytesPerProcess: Int = 16 << 30, infoSeriesPerTarget: Int = 8,
    threadNamesPerTarget: Int = 32, waitChannelsPerTarget: Int = 32,
    socketsPerNamespace: Int = 200_000, networkNamespaces: Int = 100, listenAddresses: Int = 100
  ) {
    self.keptDescriptors = keptDescriptors
    self.targets = targets
    self.processesPerTarget = processesPerTarget
    self.seriesPerTarget = seriesPerTarget
    self.threadsPerProcess = threadsPerProcess
    self.descriptorsPerProcess = descriptorsPerProcess
    self.cgroupsPerTarget = cgroupsPerTarget
    self.pssBytesPerScrape = pssBytesPerScrape
    self.pssBytesPerProcess = pssBytesPerProcess
    self.infoSeriesPerTarget = infoSeriesPerTarget
    self.threadNamesPerTarget = threadNamesPerTarget
    self.waitChannelsPerTarget = waitChannelsPerTarget
    self.socketsPerNamespace = socketsPerNamespace
    self.networkNamespaces = networkNamespaces
    self.listenAddresses = listenAddresses
  }
}

extension CollectorLimits {
  /// The part of ``keptDescriptors`` that is for control groups.
  var keptCgroupDescriptors: Int { keptDescriptors / 5 }

  var roster: Roster.Limits {
    Roster.Limits(
      keptDescriptors: keptDescriptors - keptCgroupDescriptors,
      processesPerTarget: processesPerTarget, targets: targets)
  }
}

/// All that a collection depends on.
package struct CollectorSettings: Sendable, Hashable {
  package var targets: [TargetSettings]
  package var limits: CollectorLimits
  /// The names on pages for which nobody asks for others; with process-exporter's, threads keep
  /// the numbers in their names, as there.
  package var names: Names
  /// Whether OpenMetrics has a sample beside each counter that tells since when it counts.
  package var writesCreated = false
  /// How long a restart counts for the threshold of restarts.
  package var restartInterval = Duration.seconds(600)

  package init(
    targets: [TargetSettings], limits: CollectorLimits = CollectorLimits(),
    names: Names = .process
  ) {
    self.targets = targets
    self.limits = limits
    self.names = names
  }
}
