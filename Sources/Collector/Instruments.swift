/// What looks at the machine in a collection, shared by all targets.
final class Instruments {
  let processes: ProcessReader
  let patient: PatientReader
  let cgroups: CgroupReader

  var limits = CollectorLimits() {
    didSet {
      processes.limits = limits
      cgroups.limits = limits
    }
  }

  init(processes: ProcessReader, patient: PatientReader, cgroups: CgroupReader) {
    self.processes = processes
    self.patient = patient
    self.cgroups = cgroups
  }

  /// Starts a collection.
  func begin() {
    patient.begin(limits)
    cgroups.begin()
  }

  /// Gets what was asked for while processes were visited and that others find out.
  func answer() { patient.answer() }

  /// Ends a collection: what it did not need is let go of.
  func finish() { cgroups.finish() }
}
