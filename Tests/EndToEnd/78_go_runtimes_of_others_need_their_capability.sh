# Without CAP_SYS_PTRACE the Go runtime of another user's process is absent, which the log and
# /health say with what would allow it; the other families are unharmed. With it everything is there.
. "$(dirname "$0")/lib.sh"
. "$HERE/go.sh"
need_root
need python3 setpriv

go_subject
subject app
cat > "$WORK/c.yaml" <<YAML
targets: [{name: app, pid: $SUBJECT, collect: [default, go]}]
YAML
as_nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups)
PREFIX=("${as_nobody[@]}" --inh-caps=-all --bounding-set=-all)
start --config.file="$WORK/c.yaml"
for _ in 1 2 3 4 5; do scrape; done
[ -z "$(series go_goroutines)" ] || fail "goroutines without the right to read them"
expect "groups" "$(series procvitals_go_runtime_ok target=app | grep -c ' 0$')" == 3
expect "denied reads" "$(value procvitals_unreadable_total source=mem reason=denied)" ">=" 1
expect "CPU time" "$(value process_cpu_seconds_total target=app)" ">=" 0
expect "threads" "$(value process_threads target=app)" ">=" 1
expect "lines about it in the log" "$(grep -c 'mem cannot be read: permission denied' "$LOG")" == 1
curl -sS -m 10 "$URL/health" > "$WORK/health"
python3 - "$WORK/health" <<'PYTHON' || fail "/health: $(cat "$WORK/health")"
import json, sys
health = json.load(open(sys.argv[1]))
(gap,) = [gap for gap in health["rights"]["denied"] if gap["source"] == "mem"]
assert "go_goroutines" in gap["families"], gap
assert "process_cpu_seconds_total" not in gap["families"], gap
assert "CAP_SYS_PTRACE" in health["rights"]["drop_in"], health
PYTHON
grep -q '"mem"' <(curl -sS -m 10 "$URL/api/v1/targets") || fail "/api/v1/targets does not tell it"
stop "$DAEMON"

PREFIX=("${as_nobody[@]}" --inh-caps=-all,+sys_ptrace --ambient-caps=-all,+sys_ptrace
  --bounding-set=-all,+sys_ptrace)
start --config.file="$WORK/c.yaml"
there() { scrape && [ -n "$(series go_goroutines target=app)" ]; }
poll 20 there || fail "no goroutines with CAP_SYS_PTRACE: $(cat "$WORK/page")"
[ -z "$(series procvitals_unreadable_total source=mem reason=denied)" ] || fail "still denied"
