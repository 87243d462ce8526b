// Compiled with the sources of the room Metrics: writes pages of a few and of many samples in each
// format, and says how often memory was asked for, by the file that ALLOCATIONS names.
import Glibc

func requests() -> UInt64 {
  var count: UInt64 = 0
  let file = open(String(cString: getenv("ALLOCATIONS")), O_RDONLY)
  _ = read(file, &count, 8)
  close(file)
  return count
}

/// Requests for memory of the fourth page; the first ones take what all pages share.
func requests(_ count: Int, _ format: Format) -> UInt64 {
  let family = PreparedFamily(
    Family("process_cpu_seconds_total", .counter, .seconds, labels: ["kind"], help: "Time."),
    format)
  let labels = PreparedLabels([Label("target", "a name that no small string holds")], format.style)
  var encoder = PageEncoder()
  var before: UInt64 = 0
  for page in 0..<4 {
    if page == 3 { before = requests() }
    encoder.begin(format, writesCreated: true)
    encoder.begin(family)
    for number in 0..<count {
      encoder.sample(labels, .real(Double(number) / 7), created: 1_700_000_000.25)
      encoder.sample(
        labels, ["kind"], ["a \"value\" that no small string holds"], .whole(UInt64(number)),
        created: 1_700_000_000.25)
    }
    encoder.end()
  }
  return requests() - before
}

for format in Format.allCases {
  print(format.rawValue, requests(10, format), requests(10_000, format))
}
