# What real Prometheus servers ask for is what they get, compressed where that is of use (N1 to N6).
. "$(dirname "$0")/lib.sh"
need curl prometheus python3 gzip

sleep 1000 &
track $!
start --target=it=pid:$!

# get FIELDS...: the last page in $WORK/body as it was sent, its fields in $WORK/fields.
get() {
  local arguments=()
  local path=${PATH_ASKED:-/metrics}
  for field in "$@"; do arguments+=(-H "$field"); done
  curl -sS -m 30 -D "$WORK/fields" -o "$WORK/body" ${METHOD:+$METHOD} "${arguments[@]}" "$URL$path" ||
    fail "no answer to $*"
}
field() { tr -d '\r' < "$WORK/fields" | sed -n "s/^$1: //p"; }
has() { [ "$(field "$1")" = "$2" ] || fail "$1 is '$(field "$1")' instead of '$2'"; }

om=application/openmetrics-text
omtype="$om; version=1.0.0; charset=utf-8; escaping"
proto="application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"
# The field Accept of Prometheus 2.42, 2.53 and 3.5, and the type of the answer.
while IFS='|' read -r accept type; do
  get "Accept: $accept" "Accept-Encoding: gzip" "X-Prometheus-Scrape-Timeout-Seconds: 10"
  has Content-Type "$type"
  has Content-Encoding gzip
  has Vary "Accept, Accept-Encoding"
  has Content-Length "$(stat -c %s "$WORK/body")"
  gzip -dc < "$WORK/body" > "$WORK/page" || fail "not one whole gzip member ($accept)"
  case $type in
    $om*) [ "$(tail -n 1 "$WORK/page")" = "# EOF" ] || fail "no OpenMetrics page" ;;
    text*) grep -q '^process_threads{target="it"} ' "$WORK/page" || fail "no text page" ;;
    *) grep -qa process_threads "$WORK/page" || fail "no protobuf page" ;;
  esac
done <<TABLE
$om;version=1.0.0,$om;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1|$omtype=underscores
$proto,$om;version=1.0.0;q=0.8,$om;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1|${proto//;/; }
$om;version=1.0.0;q=0.5,$om;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2|$omtype=underscores
$om;version=1.0.0;escaping=allow-utf-8;q=0.6,$om;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2|$omtype=allow-utf-8
$om;version=1.0.0;escaping=underscores;q=0.6,$om;version=0.0.1;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.2|$omtype=underscores
$proto;escaping=allow-utf-8;q=0.6,$om;version=1.0.0;escaping=allow-utf-8;q=0.5|${proto//;/; }; escaping=allow-utf-8
text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8|text/plain; version=0.0.4; charset=utf-8
TABLE

# Two lines count as one, and HEAD says what GET would.
get "Accept: text/plain;q=0.1" "Accept: $om;version=0.0.1" "Accept-Encoding: br" "Accept-Encoding: x-gzip"
has Content-Type "$om; version=0.0.1; charset=utf-8"
has Content-Encoding gzip
METHOD=-I get "Accept: $om" "Accept-Encoding: gzip"
has Content-Encoding gzip
has Content-Type "$omtype=underscores"
[ "$(field Content-Length)" -gt 100 ] || fail "HEAD says $(field Content-Length) bytes"

# Not asked for, forbidden, and not worth it.
for encoding in "" "gzip;q=0" "identity" "*;q=0" "deflate, br" "gzip;q=0.5, identity"; do
  get "Accept-Encoding: $encoding"
  has Content-Encoding ""
  grep -q '^process_threads{target="it"} ' "$WORK/body" || fail "no page for '$encoding'"
done
PATH_ASKED='/metrics?name%5B%5D=process_threads' get "Accept-Encoding: gzip"
has Content-Encoding ""
[ "$(stat -c %s "$WORK/body")" -lt 1024 ] || fail "the small page is not small"
PATH_ASKED='/probe?target=it' get "Accept-Encoding: gzip" "Accept: $om"
has Content-Encoding gzip
has Content-Type "$omtype=underscores"
has Vary "Accept, Accept-Encoding"
curl -sS -m 30 --compressed -f "$URL/metrics" > "$WORK/page" || fail "curl --compressed"
expect "threads of sleep" "$(value process_threads target=it)" == 1

# A real server.
cat > "$WORK/prometheus.yml" <<CONF
global: {scrape_interval: 1s, scrape_timeout: 1s}
scrape_configs:
  - {job_name: all, static_configs: [{targets: ["127.0.0.1:$PORT"]}]}
  - {job_name: each, http_sd_configs: [{url: "$URL/sd", refresh_interval: 1s}]}
CONF
start_prometheus "$WORK/prometheus.yml"
answer() {
  curl -sf -m 5 "http://$server/api/v1/query" --data-urlencode "query=$1" | python3 -c '
import json, sys
print(*sorted(sample["value"][1] for sample in json.load(sys.stdin)["data"]["result"]))'
}
poll 30 eval '[ "$(answer "up")" = "1 1" ]' || fail "up: $(answer up); $(tail -n 3 "$WORK/prometheus.log")"
poll 20 eval '[ -n "$(answer "procvitals_scrapes_total{format=\"openmetrics\",code=\"200\"} > 1")" ]' ||
  fail "Prometheus was not answered in OpenMetrics"
[ "$(answer 'process_threads{job="all",target="it"}')" = 1 ] || fail "Prometheus has no process_threads"
