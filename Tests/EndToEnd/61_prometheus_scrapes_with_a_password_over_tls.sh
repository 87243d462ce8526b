# Debian's Prometheus scrapes procvitals with a password, in plain and over TLS; with a wrong
# password the target is down.
. "$(dirname "$0")/lib.sh"
need prometheus htpasswd openssl python3

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=procvitals" \
  -addext subjectAltName=IP:127.0.0.1 -keyout "$WORK/s.key" -out "$WORK/s.crt" \
  2> "$WORK/openssl.err" || fail "openssl: $(cat "$WORK/openssl.err")"
user=$(htpasswd -nbB -C 10 prometheus secret)
printf 'basic_auth_users: {%s}\n' "${user/:/: }" > "$WORK/plain.yml"
cat "$WORK/plain.yml" - > "$WORK/tls.yml" <<YAML
tls_server_config: {cert_file: s.crt, key_file: s.key}
http_server_config: {headers: {Strict-Transport-Security: max-age=63072000}}
YAML
launch --web.config.file="$WORK/plain.yml"
plain=$PORT
launch --web.config.file="$WORK/tls.yml"
cat > "$WORK/prometheus.yml" <<CONF
global: {scrape_interval: 1s, scrape_timeout: 1s}
scrape_configs:
  - job_name: plain
    basic_auth: {username: prometheus, password: secret}
    static_configs: [{targets: ["127.0.0.1:$plain"]}]
  - job_name: tls
    scheme: https
    tls_config: {ca_file: $WORK/s.crt}
    basic_auth: {username: prometheus, password: secret}
    static_configs: [{targets: ["127.0.0.1:$PORT"]}]
  - job_name: wrong
    scheme: https
    tls_config: {ca_file: $WORK/s.crt}
    basic_auth: {username: prometheus, password: guess}
    static_configs: [{targets: ["127.0.0.1:$PORT"]}]
CONF
start_prometheus "$WORK/prometheus.yml"
targets() {
  curl -sf "http://$server/api/v1/targets" | python3 -c '
import json, sys
for target in json.load(sys.stdin)["data"]["activeTargets"]:
    job, health = target["labels"]["job"], target["health"]
    print(job, health, target["lastError"])
    if health != ("down" if job == "wrong" else "up") or job == "wrong" and "401" not in target["lastError"]:
        sys.exit(1)' > "$WORK/targets"
}
poll 30 targets || fail "Prometheus sees: $(cat "$WORK/targets"); $(tail -n 3 "$WORK/prometheus.log")"
