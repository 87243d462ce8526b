# /health is degraded while a figure of a target is above a threshold, and 503 while it is above one
# that means failing; the log tells each crossing and its end once, and a metric what is crossed.
. "$(dirname "$0")/lib.sh"
. "$HERE/go.sh"
need prlimit python3

go_subject
subject go
vitals
prlimit --pid $VITALS --nofile=100:100
cat > "$WORK/c.yaml" <<YAML
health: {thresholds: {open_fds_ratio: {degraded: 0.5, failing: 0.9}, restarts: 1}}
targets:
  - {name: files, cmdline: '$WORK/vitals'}
  - {name: go, pid: $SUBJECT, collect: [go],
     health: {thresholds: {go_goroutines: 50, restarts: off}}}
YAML
start --config.file="$WORK/c.yaml"

code() { curl -s -m 10 -o /dev/null -w '%{http_code}' "$URL/health"; }
# health EXPRESSION: a value of the answer, in Python, where t has its targets and of a threshold.
health() {
  curl -sS -m 10 "$URL/health" | python3 -c "import json, sys
h = json.load(sys.stdin)
t = {t['name']: t for t in h['targets']}
of = lambda target, name: next(f for f in t[target]['thresholds'] if f['name'] == name)
print($1)"
}
# crossed LEVEL: whether the metric says that of the files.
crossed() { value procvitals_threshold_crossed target=files threshold=open_fds_ratio level="$1"; }
# expect_files STATUS CODE DEGRADED FAILING: how the target, and all, are now.
expect_files() {
  expect "HTTP status of $1" "$(code)" == "$2"
  expect "status" "$(health 'h["status"], t["files"]["status"]')" == "$1 $1"
  expect "status of the threshold" "$(health 'of("files", "open_fds_ratio")["status"]')" == "$1"
  scrape
  expect "degraded" "$(crossed degraded)" == "$3"
  expect "failing" "$(crossed failing)" == "$4"
  expect "value" "$(health 'of("files", "open_fds_ratio")["value"]')" == \
    "$(value process_fd_usage_ratio target=files)"
}

expect_files ok 200 0 0
expect "thresholds of go" "$(health '*(f["name"] for f in t["go"]["thresholds"])')" == go_goroutines
expect "lines about thresholds" "$(grep -c threshold= "$LOG")" == 0
base=$(value process_open_fds target=files)
tell open $((60 - base))
expect_files degraded 200 1 0
tell open 37
expect_files failing 503 1 1
curl -s "$URL/" | grep -q "open_fds_ratio is 0.97, above 0.9 (failing)" || fail "not on the page"
curl -s "$URL/api/v1/history" | grep -q '"state":"failing","' || fail "not in the history"
tell close $((97 - base))
expect_files ok 200 0 0
for line in 'warning .*open_fds_ratio is 0.6, above 0.5 (degraded)' \
  'warning .*open_fds_ratio is 0.97, above 0.9 (failing)' \
  'notice .*open_fds_ratio is 0.0[0-9]*, no longer above 0.9 (failing)'; do
  expect "lines $line" "$(grep -c "level=$line.* target=files threshold=open_fds_ratio" "$LOG")" == 1
done
expect "lines about thresholds" "$(grep -c threshold= "$LOG")" == 3

# Two restarts are more than one.
for _ in 1 2; do
  expect "restarts" "$(health 'of("files", "restarts")["status"]')" == ok
  stop $VITALS
  vitals
  scrape
done
expect "restarts" "$(health '*of("files", "restarts").values()')" == "restarts 2 1 None degraded"
expect "HTTP status" "$(code)" == 200

# The goroutines of a program that does not know.
do_all go "park 60"
above() { [ "$(health 't["go"]["status"]')" = degraded ]; }
poll 20 above || fail "60 goroutines are not above 50: $(health 't["go"]')"
below() { [ "$(health 't["go"]["status"]')" = ok ]; }
do_all go calm
poll 20 below || fail "still above 50: $(health 't["go"]')"

# A reload takes other thresholds and keeps what was counted.
sed -i 's/restarts: 1/restarts: {failing: 1}/' "$WORK/c.yaml"
kill -s HUP $DAEMON
failing() { [ "$(code)" = 503 ]; }
poll 20 failing || fail "restarts after a reload: $(health 't["files"]')"
curl -s "$URL/api/v1/config" | grep -q '"restarts":{"degraded":null,"failing":1}' || fail "not shown"
"$PROCVITALS" explain --config.file="$WORK/c.yaml" > /dev/null || fail "explain fails"
sed -i 's/restarts: off/restarts: never/' "$WORK/c.yaml"
"$PROCVITALS" check --config.file="$WORK/c.yaml" 2> "$WORK/errors" && fail "never is no number"
grep -q 'c.yaml:5:57: thresholds.restarts: expected a whole number from 1 to 100' "$WORK/errors" ||
  fail "$(cat "$WORK/errors")"
