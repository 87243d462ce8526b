import Linux
import ProcFS
import Targets

/// Memory of a target's processes with their fair share of what they share with others.
package struct ProportionalSurvey {
  /// The sums; nil as long as one of the processes has not been read yet.
  private(set) var sum: SmapsRollup?
  /// Since when the oldest part of the sums is known.
  private var age: Duration?
  var ageSeconds: Double? { age?.seconds }
  private var processes: [ProcessIdentity] = []

  mutating func begin() {
    sum = nil
    age = nil
    processes = []
  }

  mutating func visit(_ member: Member, _ target: Target, _ patient: PatientReader) {
    // The kernel's own threads have no memory of their own.
    if member.stat.isKernelThread { return }
    if patient.proportional.want(member, target) {
      processes.append(member.identity)
    } else {
      target.note(
        Trouble(.file(.smapsRollup), .limit),
        "process \(member.pid) has \(member.stat.residentBytes) bytes of resident memory; "
          + "proportional memory is read up to \(patient.proportional.processLimit) "
          + "(limits.pss_bytes_per_process)")
    }
  }

  mutating func finish(_ target: Target, _ patient: PatientReader) {
    let now = Instant.now
    var isComplete = true
    for process in processes {
      let standing = patient.proportional.standing(process, now)
      if standing.isLate { target.note(.late(.smapsRollup), pid: process.pid) }
      switch standing.known {
      case .value(let rollup, let readAt):
        sum = sum.map { $0 + rollup } ?? rollup
        age = max(age ?? .zero, now - readAt)
      case .failure(let error): target.note(error, pid: process.pid)
      case nil: isComplete = false
      }
    }
    if !isComplete {
      sum = nil
      age = nil
    }
  }
}

extension SmapsRollup {
  fileprivate static func + (left: SmapsRollup, right: SmapsRollup) -> SmapsRollup {
    var sum = left
    sum.proportionalBytes &+= right.proportionalBytes
    sum.uniqueBytes &+= right.uniqueBytes
    sum.proportionalSwapBytes = left.proportionalSwapBytes.flatMap { swap in
      right.proportionalSwapBytes.map { swap &+ $0 }
    }
    return sum
  }
}
