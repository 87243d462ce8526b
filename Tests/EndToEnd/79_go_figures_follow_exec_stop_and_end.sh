# A Go process that becomes another program, is stopped, or ends while it is read: its figures are
# those of the program that runs, a stopped one is read like any other, counters never fall.
. "$(dirname "$0")/lib.sh"
. "$HERE/go.sh"
need python3

go_subject
mkfifo "$WORK/shell.in"
# A process that runs what it is told.
bash -c 'while read -r line <&0; do eval "$line"; done' < "$WORK/shell.in" > /dev/null 2>&1 &
shell=$!
track $shell
exec 8> "$WORK/shell.in"
echo "targets: [{name: app, pid: $shell, collect: [default, go]}]" > "$WORK/c.yaml"
start --config.file="$WORK/c.yaml"
scrape
[ -z "$(series go_goroutines)" ] || fail "goroutines of a shell"

cp "$WORK/subject" "$WORK/other"
echo "exec $WORK/subject" >&8
runs() { scrape && [ "$(value go_goroutines target=app)" = 1 ]; }
poll 20 runs || fail "a shell that became a Go program has no goroutines"
echo "gc 5" >&8
counted() { scrape && [ "$(value go_gc_cycles_total target=app)" -ge 5 ]; }
poll 20 counted || fail "no cycles"

# Stopped: nothing waits for it.
kill -s STOP $shell
for _ in 1 2 3; do
  scrape
  expect "cycles of a stopped program" "$(value go_gc_cycles_total target=app)" ">=" 5
  expect "goroutines of a stopped program" "$(value go_goroutines target=app)" == 1
done
[ -z "$(series procvitals_unreadable_total source=mem reason=late)" ] || fail "it was late"
kill -s CONT $shell
before=$(value go_gc_cycles_total target=app)

# Ends and starts while it is scraped: absent or right, never less.
end=$((SECONDS + 6)) last=0
(
  while [ $SECONDS -lt $end ]; do
    "$WORK/other" < <(echo "gc 3"; sleep 0.1) > /dev/null
  done
) &
churn=$!
track $churn
echo "targets: [{name: churn, process_name: other, collect: [go]}, {name: app, pid: $shell, collect: [default, go]}]" \
  > "$WORK/c.yaml"
kill -s HUP "$DAEMON"
while [ $SECONDS -lt $end ]; do
  scrape
  now=$(series go_gc_cycles_total target=churn)
  [ -n "$now" ] || continue
  now=${now##* }
  expect "cycles" "$now" ">=" "$last"
  last=$now
done
expect "cycles of many short runs" "$last" ">=" 3
wait $churn
[ -z "$(series procvitals_unreadable_total target=churn reason=malformed)" ] ||
  fail "a process that ended was taken for a damaged one: $(series procvitals_unreadable_total target=churn)"

expect "cycles after a reload" "$(value go_gc_cycles_total target=app)" ">=" "$before"
