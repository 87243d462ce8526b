# What is written into the web configuration holds for the next request, and a certificate for the
# next connection; what is wrong changes nothing, is logged once and told by a metric.
. "$(dirname "$0")/lib.sh"
need htpasswd openssl

for user in a b; do
  printf 'basic_auth_users: {%s}\n' "$(htpasswd -nbB -C 4 $user $user | sed 's/:/: /')" > "$WORK/$user.yml"
done
echo 'basic_auth_users: {a: b}' > "$WORK/wrong.yml"
cp "$WORK/a.yml" "$WORK/web.yml"
launch --web.config.file="$WORK/web.yml" --web.enable-lifecycle
code() { curl -s -m 20 -o "$WORK/page" -w '%{http_code}' "$@"; }
ready() { [ "$(code -u a:a "$URL/-/ready")" = 200 ]; }
poll 30 ready || fail "not ready: $(cat "$LOG")"

python3 - "$PORT" "$WORK" <<'PYTHON' || fail "see above"
import base64, http.client, os, shutil, sys

port, work = int(sys.argv[1]), sys.argv[2]
made = http.client.HTTPConnection("127.0.0.1", port, timeout=30)


def status(user):
    token = base64.b64encode(f"{user}:{user}".encode()).decode()
    made.request("GET", "/-/healthy", headers={"Authorization": f"Basic {token}"})
    answer = made.getresponse()
    answer.read()
    return answer.status


for round in range(200):
    name = "ab"[round % 2]
    if round % 4 < 2:  # replaced, or written over: same inode, same size, within one clock tick
        shutil.copy(f"{work}/{name}.yml", f"{work}/next.yml")
        os.rename(f"{work}/next.yml", f"{work}/web.yml")
    else:
        with open(f"{work}/{name}.yml") as good, open(f"{work}/web.yml", "r+") as file:
            file.write(good.read())
    seen = status("a"), status("b")
    if seen != ((200, 401) if name == "a" else (401, 200)):
        sys.exit(f"round {round}: user {name} is configured, but a and b get {seen}")
PYTHON

# Broken, gone, and back again.
now() { code -u b:b "$URL/metrics" > /dev/null; value procvitals_web_config_last_reload_successful; }
expect "after good ones" "$(now)" == 1
before=$(value procvitals_web_config_last_reload_success_timestamp_seconds)
told() { code -u b:b "$URL/api/v1/config" > /dev/null; grep -qF "$1" "$WORK/page"; }
told "\"file\":\"$WORK/web.yml\"" && told '"current":true,"error":null,"next_start":[],"tls":null' &&
  told '"users":{"b":"<secret>"}' || fail "the configuration is not told: $(cat "$WORK/page")"
cp "$WORK/wrong.yml" "$WORK/web.yml"
for _ in 1 2 3 4 5; do expect "with a wrong one" "$(now)" == 0; done
expect "when it was loaded" "$(value procvitals_web_config_last_reload_success_timestamp_seconds)" == "$before"
expect "lines about it" "$(grep -c 'web.yml:1:23: .*too short to be a bcrypted' "$LOG")" == 1
told '"current":false,"error":"' && told 'too short to be a bcrypted' && told '"users":{"b":' ||
  fail "the error is not told: $(cat "$WORK/page")"
expect "/-/reload" "$(code -X POST -u b:b "$URL/-/reload")" == 500
grep -q 'web.yml:1:23: ' "$WORK/page" || fail "/-/reload does not say where: $(cat "$WORK/page")"
rm "$WORK/web.yml"
expect "without the file" "$(now)" == 0
expect "nobody without the file" "$(code "$URL/")" == 401
kill -s HUP "$DAEMON"
expect "after SIGHUP" "$(now)" == 0
cp "$WORK/b.yml" "$WORK/web.yml"
expect "with the old one again" "$(now)" == 1
told '"current":true,"error":null' || fail "the correction is not told: $(cat "$WORK/page")"
expect "/-/reload" "$(code -X POST -u b:b "$URL/-/reload")" == 200
# Encryption does not begin while the daemon runs.
for n in 1 2; do
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days $((n * 20)) \
    -subj "/CN=number$n" -addext subjectAltName=IP:127.0.0.1 -keyout "$WORK/$n.key" \
    -out "$WORK/$n.crt" 2> "$WORK/openssl.err" || fail "openssl: $(cat "$WORK/openssl.err")"
done
printf 'tls_server_config: {cert_file: s.crt, key_file: s.key}\n' > "$WORK/tls.yml"
cp "$WORK/1.key" "$WORK/s.key"
cp "$WORK/1.crt" "$WORK/s.crt"
cat "$WORK/tls.yml" >> "$WORK/web.yml"
expect "with TLS that needs a start" "$(now)" == 1
grep -q 'changes at the next start only.*tls_server_config' "$LOG" || fail "TLS is not said to wait"
told '"current":false,"error":null,"next_start":["tls_server_config"]' ||
  fail "what waits for a start is said to be in force: $(cat "$WORK/page")"
stop "$DAEMON"

launch --web.config.file="$WORK/tls.yml"
URL=https://127.0.0.1:$PORT
served() { curl -s -m 5 -o /dev/null --cacert "$WORK/$1.crt" "$URL/-/healthy"; }
poll 30 served 1 || fail "no answer over TLS: $(tail -n 3 "$LOG")"
for round in 1 2 3 4 5 6 7 8 9 10; do
  n=$((round % 2 + 1))
  cat "$WORK/$n.key" > "$WORK/s.key"
  cat "$WORK/$n.crt" > "$WORK/s.crt"
  served $n || fail "round $round: not the certificate of the moment"
  curl -sf -m 5 --cacert "$WORK/$n.crt" "$URL/metrics" > "$WORK/page" || fail "no page"
  ends=$(date -d "$(openssl x509 -noout -enddate -in "$WORK/$n.crt" | cut -d= -f2)" +%s)
  expect "when it expires" "$(value procvitals_web_certificate_expiration_timestamp_seconds)" == "$ends"
done
cat "$WORK/1.key" > "$WORK/s.key"
cat "$WORK/2.crt" > "$WORK/s.crt"
served 1 || fail "a key that does not fit took the old certificate away"
grep -q 'private key does not match' "$LOG" || fail "a key that does not fit is not logged"
