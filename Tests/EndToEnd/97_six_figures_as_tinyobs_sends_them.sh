# With the example's job, Prometheus has of a Go program exactly the six families that TinyObs' runtime
# collector sends, with the label service, and the values are the program's own.
. "$(dirname "$0")/lib.sh"
. "$HERE/go.sh"
need prometheus python3

go_subject "-s -w"
subject shop
cat > "$WORK/c.yaml" <<YAML
targets:
  - {name: shop, pid: $SUBJECT, collect: [go_tinyobs], labels: {service: checkout}}
  - {name: unnamed, pid: $SUBJECT, collect: [go_tinyobs]}
YAML
do_all shop "hold 7" "park 30" "gc 4"
start --config.file="$WORK/c.yaml"
sed "/job_name: tinyobs/,/labeldrop/s,^#  ,  ,; s,10s,1s,; s,127.0.0.1:9656,127.0.0.1:$PORT," \
  "$ROOT/config/prometheus.yml" > "$WORK/prometheus.yml"
cp "$ROOT/config/procvitals.rules.yml" "$WORK"
start_prometheus "$WORK/prometheus.yml"

query() { curl -sf -G "http://$server/api/v1/query" --data-urlencode "query=$1"; }
scraped() { query "timestamp(go_goroutines{job=\"tinyobs\"}) > $taken" | grep -q '"value"'; }
# Figures move while the runtime tidies up behind its last cycle.
agree() {
  [ "$(ask shop take)" = taken ] || fail "no figures of the program"
  taken=$(date +%s.%N)
  poll 30 scraped || fail "no scrape: $(tail -n 3 "$WORK/prometheus.log")"
  query '{job="tinyobs",__name__!~"up|scrape_.*"}' > "$WORK/series"
  ask shop tell > "$WORK/told"
  python3 - "$WORK/told" "$WORK/series" > "$WORK/differences" <<'PYTHON'
import json, sys

told = json.load(open(sys.argv[1]))
expected = {name: told[name] for name in (
    "go_memstats_heap_alloc_bytes", "go_memstats_heap_sys_bytes", "go_memstats_heap_objects", "go_goroutines")}
expected["go_gc_cycles_total"] = told["go_gc_duration_seconds_count"]
expected["go_memstats_gc_duration_seconds"] = told["go_gc_duration_seconds_sum"] / 1e9
found = {}
wrong = []
for series in json.load(open(sys.argv[2]))["data"]["result"]:
    labels = series["metric"]
    name = labels.pop("__name__")
    if name in found or labels != {"job": "tinyobs", "instance": labels["instance"], "service": "checkout"}:
        wrong.append(f"{name} with the labels {labels}")
    found[name] = float(series["value"][1])
for name in sorted(set(expected) | set(found)):
    if abs(found.get(name, -1) - expected.get(name, -1)) > 1e-9:
        wrong.append(f"{name}: {found.get(name)}, the program says {expected.get(name)}")
print("\n".join(wrong))
sys.exit(bool(wrong))
PYTHON
}
poll 60 agree || fail "$(cat "$WORK/differences")"
expect "cycles" "$(sed -n 's/.*"go_gc_duration_seconds_count":\([0-9]*\).*/\1/p' "$WORK/told")" ">=" 4

# The first page has no more than these, and what procvitals says of the target.
scrape
names=$(grep -v '^#' "$WORK/page" | sed 's/[{ ].*//' | grep -v '^procvitals_' | sort -u)
expect "families" "$(wc -l <<< "$names")" == 6
