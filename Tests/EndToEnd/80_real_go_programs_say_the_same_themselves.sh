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
    python3 "$HERE/go_pages.py" "$WORK"/{before,probe,after} > "$WORK/differences" ||
      fail "$name, round $round: $(cat "$WORK/differences")"
  done
  for group in heap scheduler gc; do
    scrape
    expect "$name: $group" "$(value procvitals_go_runtime_ok target="$name" group=$group)" == 1
  done
done
