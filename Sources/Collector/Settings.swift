package import Metrics
package import Targets

/// One target as it is configured.
package struct TargetSettings: Sendable, Hashable {
  package var rule: Rule
  /// Labels that every series of the target carries beside `target`.
  package var labels: [Label]
  package var selection: Selection

  package init(rule: Rule, labels: [Label] = [], selection: Selection = Selection()) {
    self.rule = rule
    self.labels = labels
    self.selection = selection
  }
}

/// Bounds on what a configuration or a machine can make the daemon hold.
package struct CollectorLimits: Sendable, Hashable {
  /// Files of /proc that stay open between scrapes.
  ///
  /// Each saves about half of its reading cost and takes 4.3 kB of kernel memory; beyond the
  /// number, files are opened for each scrape.
  package var keptDescriptors: Int
  /// Processes of one target; further ones are left out and counted.
  package var processesPerTarget: Int
  /// Threads of one process that are looked at one by one.
  package var threadsPerProcess: Int
  /// Open descriptors of one process that are looked at one by one.
  package var descriptorsPerProcess: Int
  /// Names of threads that one target has series for; the others share one.
  package var threadNamesPerTarget: Int
  /// Wait channels that one target has series for; the others share one.
  package var waitChannelsPerTarget: Int

  package init(
    keptDescriptors: Int = 4096, processesPerTarget: Int = 10_000, threadsPerProcess: Int = 2000,
    descriptorsPerProcess: Int = 10_000, threadNamesPerTarget: Int = 32,
    waitChannelsPerTarget: Int = 32
  ) {
    self.keptDescriptors = keptDescriptors
    self.processesPerTarget = processesPerTarget
    self.threadsPerProcess = threadsPerProcess
    self.descriptorsPerProcess = descriptorsPerProcess
    self.threadNamesPerTarget = threadNamesPerTarget
    self.waitChannelsPerTarget = waitChannelsPerTarget
  }
}

extension CollectorLimits {
  var roster: Roster.Limits {
    Roster.Limits(keptDescriptors: keptDescriptors, processesPerTarget: processesPerTarget)
  }
}

/// All that a collection depends on.
package struct CollectorSettings: Sendable, Hashable {
  package var targets: [TargetSettings]
  package var limits: CollectorLimits

  package init(targets: [TargetSettings], limits: CollectorLimits = CollectorLimits()) {
    self.targets = targets
    self.limits = limits
  }
}
