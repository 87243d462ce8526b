# The same samples with the same values are in every format, as independent readers read them, and
# promtool finds nothing to say; names and labels are as hostile as they can be.
. "$(dirname "$0")/lib.sh"
need promtool protoc
/usr/bin/python3 -c 'import prometheus_client, google.protobuf' 2>/dev/null ||
  skip "python3-prometheus-client or python3-protobuf is not installed; make deps-test does that"

# A tree does not change between one page and the next.
fixture_system
fixture_process 7 app
fixture_process 8 'a"\b{}'
cat > "$WORK/c.yaml" <<'YAML'
targets:
  - name: "a \"quoted\" \\ name, {x=\"y\"} 1 # EOF"
    process_name: app
    labels: {service: "é\u202e𝄞", n: "\\n\\", comm: "${comm}"}
    collect: [default, info, fds, limits, threads, maps]
  - {name: other, process_name: 'a"\b{}', labels: {comm: "${comm}"}, collect: [default, threads]}
  - {name: down, pid_file: /nonexistent}
YAML
page() {
  "$PROCVITALS" once --path.procfs="$WORK/proc" --path.sysfs="$WORK" --config.file="$WORK/c.yaml" \
    --format="$1" > "$WORK/$1" 2>> "$LOG" || fail "no page in the format $1"
}
for format in text text-1.0.0 openmetrics openmetrics-0.0.1 protobuf json; do page $format; done
/usr/bin/python3 "$HERE/exposition.py" "$WORK" > "$WORK/report" 2>&1 || fail "$(cat "$WORK/report")"
cat "$WORK/report"
cmp "$WORK/text" "$WORK/text-1.0.0" > /dev/null || [ "$(wc -l < "$WORK/text")" = "$(wc -l < "$WORK/text-1.0.0")" ] ||
  fail "the two versions of the text format differ"
grep -q 'service=".*𝄞"' "$WORK/text" || fail "the label is not there: $(grep -m 1 service= "$WORK/text")"

# promtool reads the text format only.
promtool check metrics < "$WORK/text" > "$WORK/lint" 2>&1
status=$?
grep -v '^process_thread_count ' "$WORK/lint" > "$WORK/findings"
{ [ $status = 0 ] || [ $status = 3 ]; } && [ ! -s "$WORK/findings" ] ||
  fail "promtool ended with $status: $(cat "$WORK/findings")"
