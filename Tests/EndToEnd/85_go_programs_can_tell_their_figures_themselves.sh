# A Go program that tells its own figures, by expvar or on its own page: what procvitals serves is
# what the program said, without reading its memory. One that does not answer, answers too much, or
# sends procvitals elsewhere is told of, holds up nothing, and comes back; counters never fall.
. "$(dirname "$0")/lib.sh"
. "$HERE/go.sh"
need python3 curl

go_program GoMatrix/teller "$WORK/teller"
OWN=$(free_port)
"$WORK/teller" "127.0.0.1:$OWN" &
teller=$!
track $teller
own=http://127.0.0.1:$OWN
poll 20 curl -sf -o /dev/null "$own/last" || fail "the program does not start"
curl -sSf "$own/gc?300"
echo "targets:" > "$WORK/c.yaml"
# target NAME URL: the program, told at the URL.
target() { echo "  - {name: $1, labels: {n: '$1'}, pid: $teller, go: {$2}}" >> "$WORK/c.yaml"; }
target expvar "expvar: '$own/debug/vars', timeout: 3s"
start --config.file="$WORK/c.yaml"

# What it has said last is what the page has. The first answers may be late.
same() {
  curl -sSf -m 30 "$URL/probe?target=expvar" > "$WORK/probe" || return 1
  curl -sSf -m 30 "$own/last" > "$WORK/last"
  python3 - "$WORK/last" "$WORK/probe" << 'PYTHON'
import json, sys

said = json.load(open(sys.argv[1]))["memstats"]
page = {}
for line in open(sys.argv[2]):
    if line.startswith("go_"):
        name, value = line.rsplit(" ", 1)
        page[name] = float(value)
fields = {
    "alloc_bytes": "Alloc", "alloc_bytes_total": "TotalAlloc", "sys_bytes": "Sys",
    "mallocs_total": "Mallocs", "frees_total": "Frees", "heap_alloc_bytes": "HeapAlloc",
    "heap_sys_bytes": "HeapSys", "heap_idle_bytes": "HeapIdle", "heap_inuse_bytes": "HeapInuse",
    "heap_released_bytes": "HeapReleased", "heap_objects": "HeapObjects",
    "stack_inuse_bytes": "StackInuse", "stack_sys_bytes": "StackSys",
    "mspan_inuse_bytes": "MSpanInuse", "mspan_sys_bytes": "MSpanSys",
    "mcache_inuse_bytes": "MCacheInuse", "mcache_sys_bytes": "MCacheSys",
    "buck_hash_sys_bytes": "BuckHashSys", "gc_sys_bytes": "GCSys", "other_sys_bytes": "OtherSys",
    "next_gc_bytes": "NextGC", "gc_cpu_fraction": "GCCPUFraction",
}
expected = {f"go_memstats_{name}": said[field] for name, field in fields.items()}
expected["go_memstats_last_gc_time_seconds"] = said["LastGC"] / 1e9
expected["go_gc_duration_seconds_count"] = expected["go_gc_cycles_total"] = said["NumGC"]
expected["go_gc_duration_seconds_sum"] = said["PauseTotalNs"] / 1e9
pauses = sorted(said["PauseNs"])
for index, quantile in enumerate(("0", "0.25", "0.5", "0.75", "1")):
    name = f'go_gc_duration_seconds{{quantile="{quantile}"}}'
    expected[name] = pauses[min(len(pauses) * index // 4, len(pauses) - 1)] / 1e9
# A double has microseconds of a moment.
wrong = [f"{name}: {page.get(name)}, said {value}" for name, value in expected.items()
         if abs(page.get(name, -1) - value) > (1e-6 if "last_gc" in name else 0)]
wrong += [f"{name} was not said" for name in page if name not in expected]
print("\n".join(wrong))
sys.exit(bool(wrong))
PYTHON
}
poll 20 same || fail "not what the program says: $(same)"
scrape
expect "heap" "$(value procvitals_go_runtime_ok group=heap)" == 1
expect "gc" "$(value procvitals_go_runtime_ok group=gc)" == 1
[ -z "$(series procvitals_go_runtime_ok group=scheduler)" ] || fail "expvar says nothing of it"
[ -z "$(series procvitals_unreadable_total source=mem)" ] || fail "its memory was looked at"

# Stopped: scrapes go on at once, and after three failures it is left alone.
cycles=$(value go_gc_cycles_total)
kill -s STOP $teller
failed() { scrape && [ -n "$(series procvitals_unreadable_total source=go_url reason=late)" ]; }
poll 30 failed || fail "a stopped program is not late"
refused() { scrape && [ "$(value procvitals_go_runtime_ok group=heap)" = 0 ]; }
poll 30 refused || fail "a stopped program still tells"
for _ in 1 2 3 4 5; do
  scrape
  expect "cycles of a stopped program" "$(value go_gc_cycles_total)" == "$cycles"
done
grep -q "$own/debug/vars: no figures of the Go runtime" "$LOG" || fail "the log does not say why"
curl -s "$URL/health" | grep -q go_url || fail "/health does not say why"
kill -s CONT $teller
again() { scrape && [ "$(value procvitals_go_runtime_ok group=heap)" = 1 ]; }
poll 90 again || fail "a program that goes on is not asked again"
expect "cycles" "$(value go_gc_cycles_total)" ">=" "$cycles"

# Answers that are none.
target huge "expvar: '$own/huge', timeout: 20s"
target moved "expvar: '$own/moved'"
target garbage "expvar: '$own/garbage'"
target none "metrics: '$own/none'"
target never "metrics: '$own/never', timeout: 300ms"
target closed "metrics: 'http://127.0.0.1:$(free_port)/metrics'"
for name in huge:too_large moved:failed garbage:malformed none:missing never:late closed:failed; do
  # A process belongs to one target only.
  (head -n 1 "$WORK/c.yaml"; grep "name: ${name%:*}," "$WORK/c.yaml") > "$WORK/one.yaml"
  "$PROCVITALS" check --config.file="$WORK/one.yaml" > /dev/null || fail "$name is no configuration"
  start --config.file="$WORK/one.yaml"
  told() { scrape && [ -n "$(series procvitals_unreadable_total source=go_url reason="${name#*:}")" ]; }
  poll 30 told || fail "$name: $(series procvitals_unreadable_total)"
  refused || fail "$name: figures of nobody"
  [ -z "$(series go_memstats_sys_bytes)" ] || fail "$name: figures of nobody"
  stop "$DAEMON" || fail "$name holds up the end"
done

# Another machine is not asked, and a password does not stand in a URL.
for url in "http://192.0.2.1/metrics" "http://me:word@127.0.0.1/metrics" "https://127.0.0.1/"; do
  echo "targets: [{name: a, pid: $teller, go: {metrics: '$url'}}]" > "$WORK/bad.yaml"
  "$PROCVITALS" check --config.file="$WORK/bad.yaml" > /dev/null 2> "$WORK/errors" && fail "$url"
  grep -q "bad.yaml:1:" "$WORK/errors" || fail "$url: $(cat "$WORK/errors")"
done
