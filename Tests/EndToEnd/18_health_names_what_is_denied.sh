# /health tells how targets are, what is denied for which of them, and the drop-in that allows it.
. "$(dirname "$0")/lib.sh"
need_root
need setpriv

vitals
PREFIX=(setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all --bounding-set=-all)
start --target=app=pid:$VITALS
# health EXPRESSION: a value of the answer, in Python.
health() {
  curl -sS -m 10 "$URL/health" | python3 -c "import json, sys; h = json.load(sys.stdin); print($1)"
}
code() { curl -s -m 10 -o /dev/null -w '%{http_code}' "$URL/health"; }

expect "status" "$(health 'h["status"]')" == degraded
expect "HTTP status" "$(code)" == 200
expect "target" "$(health 'h["targets"][0]["name"], h["targets"][0]["processes"]')" == "app 1"
expect "denied source" "$(health 'h["rights"]["denied"][0]["source"]')" == io
expect "targets of it" "$(health '*h["rights"]["denied"][0]["targets"]')" == app
expect "families of it" \
  "$(health '"process_io_read_bytes_total" in h["rights"]["denied"][0]["families"]')" == True
expect "capabilities" "$(health 'len(h["rights"]["capabilities"])')" == 0
expect "drop-in" "$(health 'h["rights"]["drop_in"].splitlines()[1]')" == \
  "AmbientCapabilities=CAP_DAC_READ_SEARCH CAP_SYS_PTRACE"
expect "log lines about it" \
  "$(grep 'some families cannot be read' "$LOG" | grep -c 'CAP_DAC_READ_SEARCH CAP_SYS_PTRACE')" == 1
scrape
expect "capability" "$(value procvitals_capability name=CAP_SYS_PTRACE)" == 0

stop $VITALS
poll 10 eval '[ "$(code)" = 503 ]' || fail "a target without a process, and /health says $(code)"
expect "status" "$(health 'h["status"]')" == failing
stop $DAEMON

PREFIX=()
start
expect "status as root" "$(health 'h["status"], h["rights"]["drop_in"]')" == "ok None"
scrape
expect "capability" "$(value procvitals_capability name=CAP_SYS_PTRACE)" == 1
