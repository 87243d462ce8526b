import ProcFS

/// Units that differ from those of common machines, so that a hard-wired one is noticed.
let facts = SystemFacts(pageBytes: 16384, ticksPerSecond: 1000, bootTicks: 5_000_000)

/// Parses a text.
func parse<Record>(
  _ text: String, _ parser: (Span<UInt8>) throws(ParseError) -> Record
) throws(ParseError) -> Record {
  try parse(Array(text.utf8), parser)
}

func parse<Record>(
  _ bytes: [UInt8], _ parser: (Span<UInt8>) throws(ParseError) -> Record
) throws(ParseError) -> Record {
  try parser(bytes.span)
}

/// The number that does not fit 64 bits by one.
let twoToThe64 = "18446744073709551616"
