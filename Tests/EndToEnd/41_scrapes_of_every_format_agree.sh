# A daemon that is asked for a format by Accept answers in it, with the media type that says so, and
# counts the scrape under its name; its pages agree as read by independent readers.
. "$(dirname "$0")/lib.sh"
need curl protoc
/usr/bin/python3 -c 'import prometheus_client, google.protobuf' 2>/dev/null ||
  skip "python3-prometheus-client or python3-protobuf is not installed; make deps-test does that"

fixture_system
fixture_process 7 app
printf 'targets:\n  - {name: app, pid: 7, labels: {service: "a \\"b\\" \\\\ c\\\\n"}}\n' > "$WORK/c.yaml"
get() { # FILE TYPE ACCEPT
  local type
  type=$(curl -sS -m 10 -f -o "$WORK/$1" -w '%{content_type}' -H "Accept: $3" "$URL$PLACE") ||
    fail "no page for $3"
  [ "$type" = "$2" ] || fail "asked for $3 and got $type"
}
protobuf='application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited'
pages() {
  get text 'text/plain; version=0.0.4; charset=utf-8' '*/*'
  get text-1.0.0 'text/plain; version=1.0.0; charset=utf-8; escaping=underscores' 'text/plain;version=1.0.0'
  get openmetrics-0.0.1 'application/openmetrics-text; version=0.0.1; charset=utf-8' \
    'application/openmetrics-text;version=0.0.1'
  get "$1" 'application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores' \
    'application/openmetrics-text;version=1.0.0'
  get protobuf "${protobuf//;/; }" "$protobuf"
}
compare() {
  /usr/bin/python3 "$HERE/exposition.py" "$WORK" > "$WORK/report" 2>&1 || fail "$(cat "$WORK/report")"
  cat "$WORK/report"
}
start --config.file="$WORK/c.yaml" --path.procfs="$WORK/proc" --path.sysfs="$WORK"

# Without what the exporter counts about itself, scrapes for instance, pages of two moments agree.
PLACE='/metrics?collect[]=core&collect[]=cpu&collect[]=memory&collect[]=io&collect[]=sched&collect[]=lifecycle'
PLACE=${PLACE//[/%5B} PLACE=${PLACE//]/%5D}
pages openmetrics
compare
PLACE=/probe?target=app
pages openmetrics
compare

PLACE=/metrics
for format in text text-1.0.0 openmetrics openmetrics-0.0.1 protobuf; do
  case $format in
    text) accept=text/plain ;;
    text-1.0.0) accept='text/plain;version=1.0.0' ;;
    openmetrics) accept=application/openmetrics-text ;;
    openmetrics-0.0.1) accept='application/openmetrics-text;version=0.0.1' ;;
    protobuf) accept=$protobuf ;;
  esac
  curl -sS -m 10 -f -o /dev/null -H "Accept: $accept" "$URL/metrics" || fail "no page for $accept"
  scrape
  expect "scrapes counted as $format" "$(value procvitals_scrapes_total format=$format code=200)" '>=' 1
done

# The samples that tell since when counters count are there only where they are asked for.
if grep -q _created "$WORK/openmetrics"; then fail "there is a sample _created"; fi
stop "$DAEMON"
start --config.file="$WORK/c.yaml" --path.procfs="$WORK/proc" --path.sysfs="$WORK" --web.created-timestamps
PLACE=/probe?target=app
pages openmetrics-created
rm "$WORK/openmetrics-0.0.1" # has them too
compare
