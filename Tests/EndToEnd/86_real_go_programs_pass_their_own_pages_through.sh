# Debian's Prometheus tells its own figures at /metrics; procvitals without any rights over it passes
# them on, as they are between two of its own pages.
. "$(dirname "$0")/lib.sh"
need python3 curl prometheus

OWN=$(free_port)
echo "scrape_configs: []" > "$WORK/prometheus.yml"
prometheus --web.listen-address="127.0.0.1:$OWN" --config.file="$WORK/prometheus.yml" \
  --storage.tsdb.path="$WORK/data" > "$WORK/prometheus.log" 2>&1 &
track $!
echo "targets: [{name: prometheus, pid: $!, cmdline: '--web.listen-address=127.0.0.1:(?<port>[0-9]+)'," \
  "labels: {port: '\${port}'}, go: {metrics: 'http://127.0.0.1:\${port}/metrics'}}]" > "$WORK/c.yaml"
own() { curl -sSf -m 30 "http://127.0.0.1:$OWN/metrics"; }
poll 30 curl -sf -o /dev/null "http://127.0.0.1:$OWN/metrics" || fail "Prometheus does not start"
start --config.file="$WORK/c.yaml"

for round in 1 2 3; do
  told() { scrape && [ "$(value procvitals_go_runtime_ok group=heap)" = 1 ]; }
  poll 30 told || fail "no figures: $(series procvitals_unreadable_total)"
  own > "$WORK/before"
  curl -sSf -m 30 "$URL/probe?target=prometheus" > "$WORK/probe" || fail "no page"
  own > "$WORK/after"
  python3 "$HERE/go_pages.py" "$WORK"/{before,probe,after} passed > "$WORK/differences" ||
    fail "round $round: $(cat "$WORK/differences")"
done
for group in heap scheduler gc; do
  expect "$group" "$(value procvitals_go_runtime_ok group=$group)" == 1
done
[ -z "$(series procvitals_unreadable_total source=mem)" ] || fail "its memory was looked at"
