# A real receiver takes what is pushed and gives it back by OpenTelemetry's names.
. "$(dirname "$0")/lib.sh"
place=$ROOT/.build/victoria-metrics
[ -x "$place/victoria-metrics" ] ||
  skip "there is no VictoriaMetrics of Debian 13; scripts/install-victoria-metrics gets it"

port=$(free_port)
"$place"/ld-linux-* --library-path "$place" "$place/victoria-metrics" \
  -httpListenAddr="127.0.0.1:$port" -storageDataPath="$WORK/data" -retentionPeriod=1d \
  > "$WORK/victoria" 2>&1 &
track $!
up() { curl -sf -m 5 "http://127.0.0.1:$port/health"; }
poll 30 up || fail "VictoriaMetrics does not start: $(tail -n 3 "$WORK/victoria")"

sleep 1000 &
app=$!
track $app
cat > "$WORK/config.yaml" <<YAML
targets:
  - name: app
    pid: $app
    labels: {service: shop}
otlp: {endpoint: "http://127.0.0.1:$port/opentelemetry", interval: 1s}
YAML
start --config.file="$WORK/config.yaml"
# query EXPRESSION: the values, one a line.
query() {
  curl -sf -m 10 -G "http://127.0.0.1:$port/api/v1/query" --data-urlencode "query=$1" \
    --data-urlencode latency_offset=1ms | python3 -c '
import json, sys
for found in json.load(sys.stdin)["data"]["result"]: print(found["value"][1])'
}
app="{\"service.name\"=\"shop\",\"process.pid\"=\"$app\",\"process.executable.name\"=\"sleep\",target=\"app\""
there() { [ -n "$(query "{__name__=\"process.uptime\",${app#\{}}")" ]; }
poll 60 there || fail "nothing has arrived: $(tail -n 3 "$WORK/victoria")"
for name in process.memory.usage process.memory.virtual process.thread.count \
  process.unix.file_descriptor.count process_start_time process_cpu_seconds_total \
  procvitals_target_up; do
  [ $name = process_start_time ] && continue
  expect "$name" "$(query "{__name__=\"$name\",${app#\{}}" | grep -c .)" == 1
done
for series in process.cpu.time:cpu.mode process.paging.faults:system.paging.fault.type \
  process.context_switches:process.context_switch.type; do
  expect "$series" "$(query "{__name__=\"${series%:*}\",\"${series#*:}\"!=\"\",${app#\{}}" | grep -c .)" == 2
done
expect "threads" "$(query "{__name__=\"process.thread.count\",${app#\{}}")" == 1
expect "the exporter itself" \
  "$(query '{__name__="procvitals_build_info","service.name"="procvitals"}')" == 1
expect "warnings" "$(grep -cE '	(warn|error)	' "$WORK/victoria")" == 0
