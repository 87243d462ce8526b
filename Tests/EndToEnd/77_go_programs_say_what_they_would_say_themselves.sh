# Every family of the group go says of a Go program, which does not know, what the program itself
# says; /probe serves it as the program's own client library would; several are added up.
. "$(dirname "$0")/lib.sh"
. "$HERE/go.sh"
need python3

go_subject "-s -w"
subject one
one=$SUBJECT
subject two
cat > "$WORK/c.yaml" <<YAML
targets:
  - {name: app, pid: $one, collect: [go, go_tinyobs]}
  - {name: second, pid: $SUBJECT, collect: [go]}
  - {name: other, pid: $$, collect: [default, go]}
YAML
do_all one "hold 7" "park 30" "threads 3" "gc 4" "percent 50" "procs 3"
do_all two "percent -1"
start --config.file="$WORK/c.yaml"
scrape

# compare NAME PAGE: the program's own figures and those of a page without the target's label.
compare() {
  [ "$(ask "$1" take)" = taken ] || fail "no figures of $1"
  curl -sSf -m 30 "$URL/probe?target=$2" > "$WORK/probe" || fail "no page of $2"
  ask "$1" tell > "$WORK/told"
  python3 - "$WORK/told" "$WORK/probe" <<'PYTHON' || fail "see above"
import json, re, sys

told = json.load(open(sys.argv[1]))
page = {}
for line in open(sys.argv[2]):
    if not line.startswith("#"):
        name, value = line.rsplit(" ", 1)
        page[name] = float(value)
wrong = []
pauses = told.pop("go_gc_duration_seconds_sum"), told.pop("go_gc_duration_seconds_count")
quantiles = told.pop("go_gc_duration_seconds")
# Of threads the runtime lets one begin and end as it likes.
near = {"go_threads": 1}
expected = {}
for name, value in told.items():
    if name == "go_info":
        expected['go_info{version="%s"}' % value] = 1
    elif name == "go_gc_gogc_percent" and value < 0:
        pass  # off
    elif name == "go_gc_gomemlimit_bytes" and value == 2**63 - 1:
        pass  # none
    elif name == "go_memstats_last_gc_time_seconds":
        expected[name] = value / 1e9
    else:
        expected[name] = value
if "go_memstats_gc_duration_seconds" in page:
    expected["go_memstats_gc_duration_seconds"] = pauses[0] / 1e9
expected["go_gc_cycles_total"] = pauses[1]
for name in sorted(set(expected) | set(page)):
    if name == "go_memstats_gc_cpu_fraction" and 0 <= page[name] <= 1:
        continue  # not in what the program tells
    if name in ("go_gc_gogc_percent", "go_gc_gomemlimit_bytes") and name not in told:
        continue  # Go before 1.21 does not tell it
    if re.match(r"go_gc_duration_seconds[{_]", name):
        continue
    a, b = expected.get(name), page.get(name)
    if a is None or b is None or abs(a - b) > near.get(name, 1e-6):
        wrong.append(f"{name}: {b}, the program says {a}")
print("\n".join(wrong))
sys.exit(bool(wrong) or len(expected) < 28)
PYTHON
}
# Figures move while the runtime tidies up behind its last cycle.
agree() { (compare "$@") > "$WORK/differences" 2>&1; }
poll 30 agree one app || fail "app: $(cat "$WORK/differences")"
expect "GOGC" "$(sed -n 's/^go_gc_gogc_percent //p' "$WORK/probe")" == 50
expect "GOMAXPROCS" "$(sed -n 's/^go_sched_gomaxprocs_threads //p' "$WORK/probe")" == 3
expect "goroutines" "$(sed -n 's/^go_goroutines //p' "$WORK/probe")" == 34
do_all one "limit 1000000000" "release" "free" "calm"
poll 30 agree one app || fail "app: $(cat "$WORK/differences")"
expect "GOMEMLIMIT" "$(sed -n 's/^go_gc_gomemlimit_bytes //p' "$WORK/probe")" == 1000000000
poll 30 agree two second || fail "second: $(cat "$WORK/differences")"

# A shell is no Go program, which is nothing to complain about.
scrape
[ -z "$(series procvitals_unreadable_total target=other source=mem)" ] ||
  fail "a shell that is no Go program is unreadable"
[ -z "$(series procvitals_go_runtime_ok target=other)" ] || fail "a shell with a Go runtime"
for group in heap scheduler gc; do
  expect "$group" "$(value procvitals_go_runtime_ok target=app group=$group)" == 1
done
if command -v promtool > /dev/null; then
  grep -v go_memstats_gc_duration_seconds "$WORK/page" | promtool check metrics > "$WORK/lint" 2>&1 ||
    fail "promtool: $(cat "$WORK/lint")"
fi

# Two in one target: sums, and counters that stay when one of them ends.
stop "$DAEMON"
echo "targets: [{name: both, process_name: subject, collect: [go]}]" > "$WORK/c.yaml"
start --config.file="$WORK/c.yaml"
both() { scrape && [ "$(value go_sched_gomaxprocs_threads target=both)" -gt 3 ]; }
poll 20 both || fail "not both on the page"
cycles=$(value go_gc_cycles_total target=both)
allocated=$(value go_memstats_alloc_bytes_total target=both)
stop "$one"
ended() { scrape && [ "$(value procvitals_target_processes target=both)" = 1 ]; }
poll 20 ended || fail "the end was not seen"
expect "cycles after an end" "$(value go_gc_cycles_total target=both)" ">=" "$cycles"
expect "bytes after an end" "$(value go_memstats_alloc_bytes_total target=both)" ">=" "$allocated"
