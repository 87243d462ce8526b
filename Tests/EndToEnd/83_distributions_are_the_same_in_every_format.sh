# Summaries and histograms are the same in every format, as independent readers read them, and
# promtool finds nothing to say.
. "$(dirname "$0")/lib.sh"
need swiftc promtool protoc
/usr/bin/python3 -c 'import prometheus_client, google.protobuf' 2>/dev/null ||
  skip "python3-prometheus-client or python3-protobuf is not installed; make deps-test does that"

cp "$HERE/distributions.swift" "$WORK/main.swift"
swiftc -wmo -package-name procvitals -swift-version 6 -lm -o "$WORK/distributions" \
  "$ROOT"/Sources/Metrics/*.swift "$WORK/main.swift" > "$WORK/build" 2>&1 || fail "$(cat "$WORK/build")"
for format in text text-1.0.0 openmetrics openmetrics-0.0.1 protobuf json; do
  "$WORK/distributions" $format > "$WORK/$format" || fail "no page in the format $format"
done
"$WORK/distributions" openmetrics created > "$WORK/openmetrics-created" || fail "no page with _created"
/usr/bin/python3 "$HERE/exposition.py" "$WORK" > "$WORK/report" 2>&1 || fail "$(cat "$WORK/report")"
cat "$WORK/report"
expect "samples" "$(grep -vc '^#' "$WORK/text")" == 29
promtool check metrics < "$WORK/text" > "$WORK/lint" 2>&1 || fail "promtool: $(cat "$WORK/lint")"
