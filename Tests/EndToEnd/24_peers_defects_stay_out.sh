# What other exporters do that none should: answer any path, serve debug pages, say that they are
# ready before they know anything, and let one stopped target hold up the page. Their wrong numbers
# are kept out by Tests/CollectorTests/PeersDefectsTests.swift.
. "$(dirname "$0")/lib.sh"

vitals
kill -s STOP $VITALS
launch --target=app=pid:$VITALS
code() { curl -s -m 10 -o "$WORK/answer" -w '%{http_code}' "$URL$1"; }
# From the first answer on, a page has the target.
poll 30 answers /metrics || fail "no page after 30 s"
scrape
expect "target_up of a stopped process" "$(value procvitals_target_up target=app)" == 1
expect "threads of a stopped process" "$(value process_threads target=app)" == 1
for path in /nope /metrics/nope /debug/pprof/ /debug/pprof/cmdline /debug/vars /-/nope; do
  expect "the answer to $path" "$(code "$path")" == 404
  if grep -q procvitals_build_info "$WORK/answer"; then fail "$path shows the metrics"; fi
done
for path in /-/healthy /-/ready /metrics; do expect "the answer to $path" "$(code "$path")" == 200; done
if grep -aqE 'cmdline|environ' "$WORK/page"; then fail "a command line on the page"; fi
