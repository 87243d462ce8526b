# A Go program that nobody instrumented leaks goroutines and memory: the alerts reach a webhook
# through Debian's Prometheus and Alertmanager, tell what to do, and are over after its end, which
# has an alert of its own.
#
# Time runs 240 times as fast: each duration of the rules, and each bound on the age of a process, is
# divided by that, so that the hour of a leak is 15 s.
. "$(dirname "$0")/lib.sh"
. "$HERE/go.sh"
need prometheus prometheus-alertmanager amtool python3

go_program GoLeak "$WORK/leak"
"$WORK/leak" 600 5000000 &
leak=$!
track $leak
echo "targets: [{name: shop, pid: $leak, collect: [default, go]}]" > "$WORK/c.yaml"
start --config.file="$WORK/c.yaml"

python3 - "$ROOT/config/procvitals.rules.yml" > "$WORK/procvitals.rules.yml" <<'PYTHON'
import re, sys

unit = {"m": 60_000, "h": 3_600_000, "d": 86_400_000}
for line in open(sys.argv[1]):
    if not line.lstrip().startswith("#"):
        line = re.sub(r"\b(\d+)([mhd])\b", lambda m: f"{int(m[1]) * unit[m[2]] // 240}ms", line)
        line = re.sub(r"(time\(\) - .* < )(\d+)$", lambda m: f"{m[1]}{int(m[2]) / 240}", line)
        print(line, end="")
PYTHON
promtool check rules "$WORK/procvitals.rules.yml" > "$WORK/out" 2>&1 || fail "$(cat "$WORK/out")"
webhook=$(free_port) alertmanager=$(free_port)
python3 - "$webhook" "$WORK/messages" <<'PYTHON' &
import http.server, sys

class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with open(sys.argv[2], "ab") as file:
            file.write(body.replace(b"\n", b" ") + b"\n")
        self.send_response(200)
        self.end_headers()

    def log_message(self, *arguments):
        pass

http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
PYTHON
track $!
sed "s,^#    webhook_configs,    webhook_configs,; s,^#      - url: .*,      - url: http://127.0.0.1:$webhook/,
  s,group_wait: .*,group_wait: 200ms,; s,group_interval: .*,group_interval: 500ms," \
  "$ROOT/config/alertmanager.yml" > "$WORK/alertmanager.yml"
amtool check-config "$WORK/alertmanager.yml" > "$WORK/out" 2>&1 || fail "$(cat "$WORK/out")"
prometheus-alertmanager --config.file="$WORK/alertmanager.yml" --storage.path="$WORK/alerts" \
  --cluster.listen-address= --web.listen-address="127.0.0.1:$alertmanager" \
  > "$WORK/alertmanager.log" 2>&1 &
track $!
sed "s,15s,500ms,; s,127.0.0.1:9656,127.0.0.1:$PORT,; s,127.0.0.1:9093,127.0.0.1:$alertmanager," \
  "$ROOT/config/prometheus.yml" > "$WORK/prometheus.yml"
start_prometheus "$WORK/prometheus.yml" --rules.alert.resend-delay=1s

# told STATUS ALERT: whether the webhook was told so, about this program and with what to do.
told() {
  python3 - "$WORK/messages" "$@" <<'PYTHON'
import json, sys

for line in open(sys.argv[1]):
    for alert in json.loads(line)["alerts"]:
        labels, notes = alert["labels"], alert["annotations"]
        if [alert["status"], labels["alertname"], labels["target"]] == sys.argv[2:] + ["shop"]:
            assert "shop" in notes["summary"] and len(notes["description"]) > 60, notes
            assert labels["severity"] in ("warning", "critical"), labels
            sys.exit()
sys.exit(1)
PYTHON
}
for alert in GoGoroutineGrowth GoGoroutineLeak GoHeapLeak ProcessMemoryLeak; do
  poll 100 told firing $alert || fail "no $alert: $(tail -n 2 "$WORK"/{prometheus,alertmanager}.log)
$(curl -sf "http://$server/api/v1/alerts")"
done
told firing ProcessTargetDown && fail "down while it runs"
stop $leak
poll 20 told firing ProcessTargetDown || fail "no ProcessTargetDown: $(tail -n 2 "$WORK/messages")"
for alert in GoGoroutineLeak ProcessMemoryLeak; do
  poll 30 told resolved $alert || fail "$alert is not over: $(tail -n 2 "$WORK/messages")"
done
