# The fields of the web configuration are on every answer of a resource, whatever its status, and in
# place of the daemon's own; beyond the rate limit there is 429 and nothing else.
. "$(dirname "$0")/lib.sh"

cat > "$WORK/web.yml" <<YAML
http_server_config:
  headers:
    X-Frame-Options: deny
    Strict-Transport-Security: max-age=31536000; includeSubDomains
    X-Content-Type-Options: nosniff
    X-XSS-Protection: 1
    Content-Security-Policy: "default-src 'self' *.test.example.net"
YAML
start --web.config.file="$WORK/web.yml"
code() { curl -s -m 20 -o "$WORK/answer" -D "$WORK/head" -w '%{http_code}' "$@"; }
# has FIELD: it is there once, just so.
has() {
  local name=${1%%:*}
  [ "$(grep -ci "^$name:" "$WORK/head")" = 1 ] && grep -qF "$1" "$WORK/head" ||
    fail "expected '$1' once in: $(cat "$WORK/head")"
}
fields() {
  has "X-Frame-Options: deny"
  has "Strict-Transport-Security: max-age=31536000; includeSubDomains"
  has "X-Content-Type-Options: nosniff"
  has "X-XSS-Protection: 1"
  has "Content-Security-Policy: default-src 'self' *.test.example.net"
}
for answer in "/ 200" "/metrics 200" "/health 200" "/nothing 404"; do
  expect "GET ${answer% *}" "$(code "$URL${answer% *}")" == "${answer#* }"
  fields
done
expect "POST /" "$(code -X POST "$URL/")" == 405
fields
stop "$DAEMON"

printf 'rate_limit: {interval: 1h, burst: 5}\n' >> "$WORK/web.yml"
launch --web.config.file="$WORK/web.yml"
poll 30 curl -s -m 5 -o /dev/null "$URL/" || fail "it does not listen: $(tail -n 3 "$LOG")"
codes=$(for _ in 2 3 4 5 6 7; do code "$URL/-/healthy"; echo; done | tr '\n' ' ')
[ "$codes" = "200 200 200 200 429 429 " ] || fail "with a burst of 5 requests 2 to 7 got $codes"
[ "$(cat "$WORK/answer")" = "Too Many Requests" ] || fail "429 says $(cat "$WORK/answer")"
has "Retry-After: 3600"
if grep -qi "^X-Frame-Options" "$WORK/head"; then fail "429 has the fields of the configuration"; fi
