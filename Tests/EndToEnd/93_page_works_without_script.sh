# Without JavaScript the page has the same figures and lines, drawn by the server each time it loads
# itself again; below a prefix, over TLS and with a password too, and not without the password.
. "$(dirname "$0")/lib.sh"
need chromium htpasswd openssl python3
mkdir -p "$ROOT/.build/e2e"
export WORK

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=procvitals" \
  -addext subjectAltName=IP:127.0.0.1 -keyout "$WORK/s.key" -out "$WORK/s.crt" \
  2> "$WORK/openssl.err" || fail "openssl: $(cat "$WORK/openssl.err")"
user=$(htpasswd -nbB -C 4 somebody secret)
cat > "$WORK/web.yml" <<YAML
tls_server_config: {cert_file: s.crt, key_file: s.key}
basic_auth_users: {${user/:/: }}
YAML
sleep 1000 &
it=$!
track $it
curl_page() { curl -sk -m 20 "$@"; }
start --target=it=pid:$it
curl_page "$URL/" | grep -q 'class="argv"\|sleep 1000' && fail "a command line is for everybody"
curl_page "$URL/api/v1/history" | grep -q '"command_line":null' || fail "a command line is for everybody"
curl_page "$URL/" | grep -q Certificate && fail "there is a certificate without TLS"
stop "$DAEMON"
launch --web.config.file="$WORK/web.yml" --web.route-prefix=/vitals --target=it=pid:$it
URL=https://127.0.0.1:$PORT/vitals
code() { curl -sk -m 20 -o "$WORK/out" -w '%{http_code}' "$@"; }
ready() { [ "$(code -u somebody:secret "$URL/-/ready")" = 200 ]; }
poll 30 ready || fail "not ready: $(cat "$LOG")"
for path in / /api/v1/history /assets/page.css /assets/page.js; do
  expect "$path without a password" "$(code "$URL$path")" == 401
  expect "$path with a wrong one" "$(code -u somebody:guess "$URL$path")" == 401
  expect "$path with the right one" "$(code -u somebody:secret "$URL$path")" == 200
  expect "$path outside the prefix" "$(code -u somebody:secret "${URL%/vitals}$path")" == 404
done
code -u somebody:secret "$URL/" > /dev/null
for text in 'login: wrong user or password' 'TLS, users need a password' 'scheme: https' \
  'basic_auth: {username: USER' '<p class="argv"><code>sleep 1000</code>' '▲ until 20' ', 1 day</span>' \
  "https://127.0.0.1:$PORT/vitals/sd" 'href="/vitals/probe?target=it"'; do
  grep -qF "$text" "$WORK/out" || fail "the page does not say: $text"
done
grep -q 'secret\|\$2y' "$WORK/out" && fail "the page has a secret"

PYTHONPATH=$HERE python3 - "$URL" "$ROOT/.build/e2e" <<'PYTHON' || fail "see above"
import re, sys
from browser import Browser
url, pictures = sys.argv[1], sys.argv[2]
login = url.replace("https://", "https://somebody:secret@")
with Browser("--ignore-certificate-errors", "--blink-settings=scriptEnabled=false", size=(900, 900)) as browser:
    def page():
        try:
            number = browser.call("DOM.getDocument", depth=-1)["root"]["nodeId"]
            return browser.call("DOM.getOuterHTML", nodeId=number)["outerHTML"]
        except RuntimeError:  # the page is being replaced
            return ""

    browser.call("Page.navigate", url=login + "/")
    # It loads itself again, and lines grow.
    seen = set()
    while len(seen) < 3:
        lines = re.findall(r'data-m="memory".*?class="line" d="(M[^"]*)"', page(), re.DOTALL)
        seen.update(line for line in lines if line.count("l") >= len(seen))
    loads = [one for one in browser.requests if one.endswith("/vitals/")]
    if len(loads) < 3 or any("history" in one for one in browser.requests):
        sys.exit(f"FAILED: it asked for {browser.requests}")
    browser.picture(f"{pictures}/page-without-script.png")
    if browser.complaints:
        sys.exit(f"FAILED: {browser.complaints}")

# With it the password is used for what the script asks.
with Browser("--ignore-certificate-errors") as browser:
    browser.open(login + "/")
    browser.until("document.getElementById('live').textContent === 'live'")
    browser.until("document.querySelectorAll('main .line[d*=L]').length > 2")
    browser.until("document.querySelector('#errors td').textContent === 'login: wrong user or password'")
    if browser.complaints:
        sys.exit(f"FAILED: {browser.complaints}")
PYTHON
