# The examples for Prometheus, Alertmanager, Grafana and compose are what these programs take; rules
# have no flaw and do what their tests say; dashboards are those that their source makes and ask for
# families that there are; and the jobs for /sd and TLS bring what they say.
. "$(dirname "$0")/lib.sh"
need promtool amtool prometheus htpasswd openssl python3
compose=$(command -v docker-compose /usr/libexec/docker/cli-plugins/docker-compose | head -n 1)
[ -n "$compose" ] || skip "docker-compose is not installed; make deps-test does that"
python3 -c 'import yaml' 2> /dev/null || skip "python3-yaml is not installed; make deps-test does that"

promtool check rules --lint=all --lint-fatal "$ROOT/config/procvitals.rules.yml" > "$WORK/out" 2>&1 ||
  fail "rules: $(cat "$WORK/out")"
for file in "$ROOT"/Tests/Rules/*.yml; do
  promtool test rules "$file" > "$WORK/out" 2>&1 || fail "$(cat "$WORK/out")"
done
"$ROOT/scripts/dashboards" --check || fail "see above"
"$PROCVITALS" metrics --format=json > "$WORK/catalogue"
"$ROOT/Tests/Dashboards/check" still "$WORK/catalogue" || fail "see above"

# As they are, and with all that is commented out.
cp -r "$ROOT/config" "$WORK/config"
cd "$WORK/config" || fail "no copy"
valid() {
  promtool check config prometheus.yml > "$WORK/out" 2>&1 || fail "prometheus.yml: $(cat "$WORK/out")"
  amtool check-config alertmanager.yml > "$WORK/out" 2>&1 || fail "alertmanager.yml: $(cat "$WORK/out")"
}
valid
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=procvitals" \
  -addext subjectAltName=IP:127.0.0.1 -keyout s.key -out s.crt 2> "$WORK/out" ||
  fail "openssl: $(cat "$WORK/out")"
echo secret > password
echo "https://example.org/" > slack
user=$(htpasswd -nbB -C 10 prometheus secret)
cat > web.yml <<YAML
tls_server_config: {cert_file: s.crt, key_file: s.key}
basic_auth_users: {${user/:/: }}
YAML
sed -i "s,^#    ,    ,; s,/etc/alertmanager/slack-url,$PWD/slack," alertmanager.yml
start --target=self=pid:$$
plain=$PORT
launch --web.config.file=web.yml --target=far=pid:$$
sed -i "s,^#  ,  ,; s,127.0.0.1:9656,127.0.0.1:$plain,; s,server.example:9656,127.0.0.1:$PORT,
  s,/etc/prometheus/procvitals-ca.crt,$PWD/s.crt,; s,/etc/prometheus/procvitals-password,$PWD/password,
  s,15s,1s," prometheus.yml
[ "$(grep -c '^ .*_configs:$' alertmanager.yml)" = 3 ] || fail "not three ways: $(cat alertmanager.yml)"
[ "$(grep -c '^ .*job_name:' prometheus.yml)" = 4 ] || fail "not four jobs: $(cat prometheus.yml)"
valid

"$compose" -f compose.yaml config -q > "$WORK/out" 2>&1 || fail "compose.yaml: $(cat "$WORK/out")"
python3 - <<'PYTHON' || fail "see above"
import os, re, sys, yaml

wrong = []
compose = yaml.safe_load(open("compose.yaml"))
mounts = {}
for name, service in compose["services"].items():
    if not re.fullmatch(r"[\w/]+:v?\d+\.\d+\.\d+", service["image"]):
        wrong.append(f"{name}: image without a version")
    for volume in service["volumes"]:
        source, path = volume.split(":")[:2]
        mounts[path] = source
        if not (os.path.exists(source) if source[0] == "." else source in compose["volumes"]):
            wrong.append(f"{name}: there is no {source}")
    text = " ".join(service.get("command", [])) + str(service.get("environment", ""))
    if "127.0.0.1" not in text:
        wrong.append(f"{name}: listens elsewhere")
for path in ("datasources", "dashboards"):
    content = yaml.safe_load(open(f"grafana/provisioning/{path}/procvitals.yml"))
    kind = "datasources" if path == "datasources" else "providers"
    if set(content) != {"apiVersion", kind} or content["apiVersion"] != 1:
        wrong.append(f"{path}: keys {list(content)}")
    for entry in content[kind]:
        if path == "dashboards" and mounts.get(entry["options"]["path"]) != "./dashboards":
            wrong.append(f"no dashboards at {entry['options']['path']}")
        if path == "datasources" and (entry["type"], entry["access"]) != ("prometheus", "proxy"):
            wrong.append(f"data source {entry}")
home = compose["services"]["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
if not os.path.exists(mounts[os.path.dirname(home)] + "/" + os.path.basename(home)):
    wrong.append(f"there is no {home}")
print("\n".join(wrong))
sys.exit(bool(wrong))
PYTHON

start_prometheus prometheus.yml
# number QUERY: how many series it gives.
number() {
  curl -sf -G "http://$server/api/v1/query" --data-urlencode "query=$1" |
    python3 -c 'import json, sys; print(len(json.load(sys.stdin)["data"]["result"]))'
}
is() { [ "$(number "$1")" = "$2" ]; }
for query in 'up{job="procvitals"} == 1' 'up{job="procvitals-tls"} == 1' 'up{job="self"} == 1' \
  'process_open_fds{job="procvitals",target="self"}' 'process_open_fds{job="self",target=""}' \
  'process_open_fds{job="procvitals-tls",target="far"}'; do
  poll 30 is "$query" 1 || fail "$query: $(number "$query"); $(tail -n 3 "$WORK/prometheus.log")"
done
# What comes by both ways is reported once.
poll 30 is 'target:process_fd_usage:ratio' 2 || fail "$(number 'target:process_fd_usage:ratio') ratios"
