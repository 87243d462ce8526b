# Debian's Prometheus finds each target by /sd and scrapes it at /probe: as if every program served
# its own metrics, `up` included. And /api/v1/targets is JSON, whatever names processes have.
. "$(dirname "$0")/lib.sh"
need prometheus python3

vitals
tell burn 0.5
odd=$'a"\\b\n<\xff>'
cp "$(command -v sleep)" "$WORK/$odd"
"$WORK/$odd" 1000 &
odd_pid=$!
track $odd_pid
sleep 1000 &
short=$!
track $short
cat > "$WORK/c.yaml" <<CONF
targets:
  - {name: app, pid: $VITALS, labels: {service: shop}}
  - {name: "od\\"d <b>&=+% é", pid: $odd_pid}
  - {name: short, pid: $short}
  - {name: shell, pid: $$, labels: {role: main}}
CONF
start --config.file="$WORK/c.yaml"

python3 - "$URL" <<'PYTHON' || fail "see above"
import json, sys, urllib.error, urllib.parse, urllib.request

url = sys.argv[1]


def get(path):
    try:
        with urllib.request.urlopen(url + path, timeout=30) as answer:
            return answer.status, answer.headers["Content-Type"], answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers["Content-Type"], error.read().decode()


status, kind, text = get("/api/v1/targets")
assert (status, kind) == (200, "application/json"), (status, kind)
document = json.loads(text)
names = [target["name"] for target in document["targets"]]
assert document["omitted"] == 0 and names == sorted(names) and len(names) == 4, names
odd = document["targets"][names.index('od"d <b>&=+% é')]
assert odd["processes"][0]["name"] == 'a"\\b\n<\ufffd>', odd["processes"]
assert document["targets"][names.index("app")]["labels"] == {"service": "shop"}

# By the entries of /sd each target's page is what the page of all says about it.
for entry in json.loads(get("/sd")[2]):
    labels = entry["labels"]
    assert entry["targets"] == [url[7:]], entry
    query = {k[8:]: v for k, v in labels.items() if k.startswith("__param_")}
    path = labels["__metrics_path__"] + "?" + urllib.parse.urlencode(query)
    status, kind, page = get(path)
    assert status == 200 and kind.startswith("text/plain; version=0.0.4"), (path, status, kind)
    lines = [line for line in page.splitlines() if not line.startswith("#")]
    assert any(line.startswith("process_cpu_seconds_total ") for line in lines), page[:500]
    assert not any("target=" in line or line.startswith("procvitals_") for line in lines)

for path, code, word in [
    ("/probe", 400, "target=NAME"), ("/probe?target=", 400, "target=NAME"),
    ("/probe?target=nope", 404, "no target"), ("/probe?target=shrot", 404, '"short"'),
    ("/probe?target=app&service=x", 404, "service"), ("/probe?target=%61pp&service=shop", 200, ""),
    ("/probe?target=app&target=nope", 400, "more than once"), ("/probe?t=1&target=app", 404, "t="),
]:
    status, _, text = get(path)
    assert status == code and word in text, (path, status, text[:300])
PYTHON

cat > "$WORK/prometheus.yml" <<CONF
global: {scrape_interval: 1s, scrape_timeout: 1s}
scrape_configs:
  - {job_name: vitals, http_sd_configs: [{url: "$URL/sd", refresh_interval: 1s}]}
CONF
start_prometheus "$WORK/prometheus.yml"
# ask EXPRESSION VALUE: whether Prometheus has exactly one series for it, with that value.
ask() {
  curl -sf -m 10 --data-urlencode "query=$1" "http://$server/api/v1/query" | python3 -c '
import json, sys
found = json.load(sys.stdin)["data"]["result"]
sys.exit([float(series["value"][1]) for series in found] != [float(sys.argv[1])])' "$2"
}
for name in app 'od\"d <b>&=+% é' short shell; do
  poll 60 ask "up{job=\"vitals\",target=\"$name\"}" 1 || fail "up of $name is not 1"
  poll 60 ask "process_cpu_seconds_total{job=\"vitals\",target=\"$name\"} >= bool 0" 1 ||
    fail "no CPU of $name"
done
ask 'process_cpu_seconds_total{target="app",service="shop"} > bool 0.4' 1 || fail "CPU of app"
poll 30 ask 'count(up == 1)' 4 || fail "not four targets up"
stop $short
poll 60 ask 'up{target="short"}' 0 || fail "up of a target without a process is not 0"
ask 'count(up == 1)' 3 || fail "others went down with it"
