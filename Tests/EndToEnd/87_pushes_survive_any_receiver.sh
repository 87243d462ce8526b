# What is pushed has all that a scrape has, in OpenTelemetry's words; a receiver that is away, full,
# slow or no receiver is told once and costs nothing else; afterwards no count is missing.
. "$(dirname "$0")/lib.sh"
python=$ROOT/.build/otlp/bin/python
[ -x "$python" ] || skip "there is no $python; make deps-test makes it"

# receive [PORT]: starts the receiver; sets RECEIVER and ENDPOINT.
receive() {
  : > "$WORK/port"
  "$python" "$HERE/otlp_receiver.py" "$WORK" "$@" > "$WORK/port" 2>> "$WORK/receiver" &
  RECEIVER=$!
  track $RECEIVER
  poll 30 grep -q . "$WORK/port" || fail "the receiver does not start: $(cat "$WORK/receiver")"
  ENDPOINT=$(cat "$WORK/port")
}
requests() { grep -c . "$WORK/requests"; }
# more N: waits until that many requests more have come, and keeps the last one.
more() {
  local end=$(($(requests) + $1))
  poll 60 at_least $end || fail "no request: $(cat "$WORK/receiver")"
  tail -n 1 "$WORK/requests" > "$WORK/last"
}
at_least() { [ "$(requests)" -ge "$1" ]; }
# mode MODE...: what the receiver answers from now on.
mode() { echo "$*" > "$WORK/mode"; }
counted() { scrape && [ "$(value procvitals_otlp_exports_total outcome="$1" | cut -d. -f1)" -ge "$2" ]; }
# told TEXT: how many lines of the log say so.
told() { grep -c "$1" "$LOG"; }
# last EXPRESSION: of that, with r, its resources by target, and app, its metrics.
last() {
  python3 -c '
import json, sys
r = json.load(open(sys.argv[2]))
by = {x["attributes"].get("target", ""): x for x in r["resources"]}
app = by["app"]["metrics"]
attributes = by["app"]["attributes"]
def one(name, **labels):
    found = [p for p in app[name]["points"] if p["labels"] == {k.replace("_", "."): v for k, v in labels.items()}]
    assert len(found) == 1, app[name]
    return found[0]
print(eval(sys.argv[1]))' "$1" "$WORK/last"
}
# same WHAT A B: two texts are the same.
same() { [ "$2" = "$3" ] || fail "$1: expected $3, got $2"; }
config() {
  cat > "$WORK/config.yaml" <<YAML
defaults: {collect: [default, info, threads]}
targets:
  - name: app
    process_name: burner
    labels: {service: shop, team: a}
otlp:
  endpoint: http://127.0.0.1:$ENDPOINT/base
  interval: $1
  timeout: 2s
  headers: {X-Key: secret-1}
  header_files: {Authorization: $WORK/token}
  resource_attributes: {host.name: here, deployment.environment.name: test}
YAML
}

: > "$WORK/requests"
echo "Bearer secret-2" > "$WORK/token"
cp "$(command -v bash)" "$WORK/burner"
mkfifo "$WORK/fifo"
# It uses some CPU all the time, and is one process.
"$WORK/burner" -c 'exec 9<> "$0"; while :; do for i in {1..999}; do :; done; read -t 0.02 -u 9; done' \
  "$WORK/fifo" &
BURNER=$!
track $BURNER
mode ok
receive
config 1s
start --config.file="$WORK/config.yaml" --web.enable-lifecycle
more 2

same "the path" "$(last 'r["path"]')" /base/v1/metrics
same "the headers" "$(last '[r["headers"].get(n) for n in ("content-type", "content-encoding", "x-key", "authorization")]')" \
  "['application/x-protobuf', 'gzip', 'secret-1', 'Bearer secret-2']"
same "the resource" "$(last 'sorted((k, str(v)) for k, v in attributes.items())')" \
  "[('deployment.environment.name', 'test'), ('host.name', 'here'), ('process.executable.name', 'burner'), ('process.pid', '$BURNER'), ('service.instance.id', 'here/app/service=shop/team=a'), ('service.name', 'shop'), ('target', 'app'), ('team', 'a')]"
same "CPU times" "$(last 'app["process.cpu.time"]["kind"], app["process.cpu.time"]["monotonic"], app["process.cpu.time"]["unit"], sorted(p["labels"]["cpu.mode"] for p in app["process.cpu.time"]["points"])')" \
  "('sum', True, 's', ['system', 'user'])"
same "memory" "$(last 'app["process.memory.usage"]["kind"], app["process.memory.usage"]["monotonic"], app["process.memory.usage"]["unit"]')" "('sum', False, 'By')"
near "resident memory" "$(last 'one("process.memory.usage")["value"]')" \
  "$(awk '/^VmRSS/ { print $2 * 1024 }' "/proc/$BURNER/status")" 2000000
scrape
near "the start" "$(last 'one("process.cpu.time", cpu_mode="user")["since"] / 1e9')" \
  "$(value process_start_time_seconds target=app)" 0.1
near "the age" "$(last 'one("process.uptime")["value"]')" \
  "$(last "one('process.uptime')['at'] / 1e9 - $(value process_start_time_seconds target=app)")" 0.1
# All families of the page, by whichever name.
"$PROCVITALS" metrics --format=json > "$WORK/metrics.json"
python3 - "$WORK" <<'PYTHON' || fail "families are missing"
import json, sys
work = sys.argv[1]
names = {m["name"]: (m["opentelemetry"] or m["name"]).split("{")[0] for m in json.load(open(f"{work}/metrics.json"))}
served = {names[l.split()[2]] for l in open(f"{work}/page") if l.startswith("# TYPE")}
pushed = {n for r in json.load(open(f"{work}/last"))["resources"] for n in r["metrics"]}
if served != pushed: print("served:", served - pushed, "pushed:", pushed - served)
sys.exit(served != pushed)
PYTHON
expect "told of success" "$(told 'msg="metrics are pushed"')" == 1

# Full, with its own idea of when to come again.
mode 503 3
before=$(requests)
poll 60 counted unavailable 2 || fail "no second try"
expect "seconds between tries" "$(tail -n 2 "$WORK/requests" | python3 -c '
import json, sys
a, b = (json.loads(l)["time"] for l in sys.stdin)
print(b - a)')" ">=" 2.9
expect "told of it" "$(told 'msg="metrics cannot be pushed, trying again".*503')" == 1
mode ok
pushed() { [ "$(told 'msg="metrics are pushed"')" = "$1" ]; }
poll 60 pushed 2 || fail "no success after that"

# Takes some of it.
mode partial
poll 60 counted partial 2 || fail "no partial success"
expect "rejected points" "$(value procvitals_otlp_rejected_points_total)" ">=" 14
expect "told of it" "$(told 'does not take all data points.*message="too manyof them" rejected=7')" == 1
# Is another thing altogether: nothing is followed.
mode redirect
poll 60 counted rejected 2 || fail "the redirection is not refused"
expect "told of it" "$(told 'does not take the metrics.*307, redirected to /elsewhere')" == 1
expect "other paths" "$(grep -vc '"path": "/base/v1/metrics"' "$WORK/requests")" == 0
mode html
poll 60 counted rejected 4 || fail "a page for people is taken for an answer"
mode 400
more 2
mode ok
more 1

# Answers nonsense, or not at all; scrapes do not notice.
scrape
tries=$(value procvitals_otlp_exports_total outcome=unavailable)
mode garbage
poll 60 counted unavailable $((tries + 1)) || fail "garbage is taken for an answer"
mode hang
more 1
for path in /metrics /-/healthy; do
  expect "$path meanwhile" "$(curl -s -m 2 -o /dev/null -w '%{http_code}' "$URL$path")" == 200
done
poll 60 counted unavailable $((tries + 2)) || fail "it waits for ever"
mode ok
more 1

# Down and up again: counts go on from the same start.
since=$(last 'one("process.cpu.time", cpu_mode="user")["since"]')
port=$ENDPOINT
stop $RECEIVER
scrape
tries=$(value procvitals_otlp_exports_total outcome=unavailable)
poll 60 counted unavailable $((tries + 3)) || fail "no try while the receiver is away"
receive "$port"
more 1
same "the start" "$(last 'one("process.cpu.time", cpu_mode="user")["since"]')" "$since"
scrape
near "CPU time" "$(last 'sum(p["value"] for p in app["process.cpu.time"]["points"])')" \
  "$(value process_cpu_seconds_total target=app)" 3

# A reload that changes nothing changes nothing; one that does counts at once, and the end has a
# last push.
lines=$(told 'metrics are pushed')
curl -sf -X POST "$URL/-/reload" > /dev/null || fail "no reload"
more 2
expect "told of it" "$(told 'metrics are pushed')" == "$lines"
config 1h
curl -sf -X POST "$URL/-/reload" > /dev/null || fail "no reload"
poll 60 pushed $((lines + 1)) || fail "new settings do not count"
calm() { local n; n=$(requests); sleep 2; [ "$(requests)" = "$n" ]; }
poll 60 calm || fail "it pushes on"
before=$(requests)
stop "$DAEMON"
expect "requests at the end" "$(($(requests) - before))" == 1
grep -q secret- "$LOG" && fail "a secret in the log"
expect "what the receiver says" "$(grep -c Error "$WORK/receiver")" == 0
