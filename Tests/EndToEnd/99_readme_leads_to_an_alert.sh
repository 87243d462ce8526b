# Whoever types what README.md says, "From a page to an alert", gets a card on the page, data for the
# dashboards, and an alert in Prometheus and Alertmanager once the program has ended.
# The ports are those of README.md, in a network of the script's own.
. "$(dirname "$0")/lib.sh"
need_root
need prometheus prometheus-alertmanager unshare ip curl python3
if [ -z "${OWN_NETWORK:-}" ]; then
  rm -rf "$WORK"
  OWN_NETWORK=1 exec unshare --net bash "$0"
fi
ip link set lo up

mkdir -p "$WORK/.build/release"
ln -s "$PROCVITALS" "$WORK/.build/release/procvitals"
cp -r "$ROOT/config" "$WORK"
awk '/^## / { here = $0 == "## From a page to an alert" } here && /^```/ { code = !code; next } here && code' \
  "$ROOT/README.md" | sed "s,/tmp/,$WORK/," > "$WORK/typed"
expect "commands in README.md" "$(grep -c '&$' "$WORK/typed")" == 4
cd "$WORK" || fail "no $WORK"
bash -c '. ./typed; jobs -p > pids; wait' > "$LOG" 2>&1 &
track $!
poll 10 test -s pids || fail "nothing started"
for pid in $(cat pids); do track "$pid"; done

URL=http://127.0.0.1:9656
poll 30 answers /-/ready || fail "not ready"
poll 30 curl -sf http://127.0.0.1:9090/-/ready || fail "no Prometheus"
poll 30 curl -sf http://127.0.0.1:9093/-/ready || fail "no Alertmanager"
curl -sf $URL/ | grep -q demo || fail "no card on the page"
answers /health || fail "not healthy: $(curl -s $URL/health)"
# A panel of the dashboard for processes.
data() { curl -sf -G http://127.0.0.1:9090/api/v1/query --data-urlencode "query=$1" | grep -q '"value"'; }
poll 60 data 'process_resident_memory_bytes{target="demo"}' || fail "no data"

kill "$(head -n 1 pids)"
poll 10 gone "$(head -n 1 pids)" || fail "it does not end"
says_gone() { curl -sf $URL/ | grep -q gone; }
poll 30 says_gone || fail "the page does not say that it is gone"
expect "/health" "$(curl -s -o /dev/null -w '%{http_code}' $URL/health)" == 503
fires() { curl -sf http://127.0.0.1:9093/api/v2/alerts | grep -q '"alertname":"ProcessTargetDown"'; }
poll 200 fires || fail "no alert: $(curl -s http://127.0.0.1:9090/api/v1/alerts)"
curl -s http://127.0.0.1:9090/api/v1/alerts | grep -q '"alertname":"ProcessTargetDown".*"state":"firing"' ||
  fail "Prometheus does not show it"
