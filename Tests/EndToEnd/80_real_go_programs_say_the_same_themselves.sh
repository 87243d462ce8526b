# Debian's Prometheus and node_exporter, stripped programs of an old Go that serve their own figures:
# what /probe says of them lies between two of their own pages, or is the same.
. "$(dirname "$0")/lib.sh"
need python3 curl

# program NAME COMMAND...: starts it; sets REAL to its pid, and adds it to the configuration.
echo "targets:" > "$WORK/c.yaml"
program() {
  local name=$1
  shift
  "$@" > "$WORK/$name.log" 2>&1 &
  REAL=$!
  track $REAL
  echo "  - {name: $name, pid: $REAL, collect: [go]}" >> "$WORK/c.yaml"
  poll 30 curl -sf -o /dev/null "http://127.0.0.1:$OWN/metrics" || fail "$name does not start"
}
declare -A own
if command -v prometheus-node-exporter > /dev/null; then
  OWN=$(free_port)
  program node prometheus-node-exporter --web.listen-address="127.0.0.1:$OWN" \
    --collector.disable-defaults --collector.loadavg
  own[node]=$OWN
fi
if command -v prometheus > /dev/null; then
  OWN=$(free_port)
  echo "scrape_configs: []" > "$WORK/prometheus.yml"
  program prometheus prometheus --web.listen-address="127.0.0.1:$OWN" \
    --config.file="$WORK/prometheus.yml" --storage.tsdb.path="$WORK/data"
  own[prometheus]=$OWN
fi
[ ${#own[@]} -gt 0 ] || skip "no Go program of Debian is installed: make deps-go does that"
start --config.file="$WORK/c.yaml"

for name in "${!own[@]}"; do
  for round in 1 2 3; do
    curl -sSf -m 30 "http://127.0.0.1:${own[$name]}/metrics" > "$WORK/before" || fail "$name: no page"
    curl -sSf -m 30 "$URL/probe?target=$name" > "$WORK/probe" || fail "no page of $name"
    curl -sSf -m 30 "http://127.0.0.1:${own[$name]}/metrics" > "$WORK/after" || fail "$name: no page"
    python3 - "$WORK"/{before,probe,after} > "$WORK/differences" <<'PYTHON' ||
import sys

def figures(path):
    lines = (line.rsplit(" ", 1) for line in open(path) if line.startswith("go_"))
    return {name: float(value) for name, value in lines}

before, probe, after = map(figures, sys.argv[1:])
wrong = [f"{name} is missing" for name in before
         if name not in probe and name != "go_memstats_lookups_total"]
grows = {"go_memstats_alloc_bytes_total", "go_memstats_mallocs_total", "go_memstats_frees_total",
         "go_gc_duration_seconds_count", "go_gc_duration_seconds_sum",
         "go_memstats_last_gc_time_seconds"}
# Nothing changes these but a page of its own, by little.
still = {"go_info", "go_memstats_sys_bytes", "go_memstats_mcache_sys_bytes", "go_threads",
         "go_memstats_mcache_inuse_bytes", "go_memstats_buck_hash_sys_bytes"}
for name, value in probe.items():
    low, high = before.get(name), after.get(name)
    if low is None:
        continue
    if name in grows:
        # Their own figures have only microseconds.
        if not low - 1e-6 <= value <= high + 1e-6:
            wrong.append(f"{name}: {value} is not within {low} and {high}")
    elif name.split("{")[0] in still:
        if low == high and value != low:
            wrong.append(f"{name}: {value}, the program says {low}")
    elif name == "go_goroutines":
        # A page of its own is served by goroutines.
        if not max(low, high) - 12 <= value <= max(low, high):
            wrong.append(f"{name}: {value}, the program says {low} and {high}")
    elif name.startswith("go_memstats_") and not min(low, high) * 0.5 <= value <= max(low, high) * 2:
        wrong.append(f"{name}: {value} is far from {low} and {high}")
if len(probe) < 28:
    wrong.append(f"only {len(probe)} figures")
print("\n".join(wrong))
sys.exit(bool(wrong))
PYTHON
      fail "$name, round $round: $(cat "$WORK/differences")"
  done
  for group in heap scheduler gc; do
    scrape
    expect "$name: $group" "$(value procvitals_go_runtime_ok target="$name" group=$group)" == 1
  done
done
