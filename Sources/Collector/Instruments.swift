/// What looks at the machine in a collection, shared by all targets.
final class Instruments {
  let processes: ProcessReader
  let patient: PatientReader
  let cgroups: CgroupReader
  let sockets: SocketReader

  /// Whether threads whose names differ only by a number are counted under one.
  var foldsThreadNumbers = true

  var limits = CollectorLimits() {
    didSet {
      processes.limits = limits
      cgroups.limits = limits
      sockets.limits = limits
    }
  }

  init(
    processes: ProcessReader, patient: PatientReader, cgroups: CgroupReader, sockets: SocketReader
  ) {
    self.processes = processes
    self.patient = patient
    self.cgroups = cgroups
    self.sockets = sockets
  }

  /// Starts a collection.
  func begin() {
    processes.begin()
    patient.begin(limits)
    cgroups.begin()
    sockets.begin()
  }

  /// Gets what was asked for while processes were visited and that others find out.
  func answer() {
    patient.answer()
    sockets.resolve()
  }

  /// Ends a collection; see ``CgroupReader/finish(keeping:)``.
  func finish(keeping collections: Int) { cgroups.finish(keeping: collections) }
}
