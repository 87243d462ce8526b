# L6: while a pass waits in the kernel, everything that needs no pass answers at once.
. "$(dirname "$0")/lib.sh"
need python3

# quick PATH WHEN: the slowest of 20 answers stays below 50 ms, in one of three rounds: a busy
# machine may spoil one, a daemon that waits for the pass spoils all.
quick() {
  local slowest
  for _ in 1 2 3; do
    slowest=$(for _ in $(seq 20); do
      curl -s -m 5 -o /dev/null -w '%{http_code} %{time_total}\n' "$URL$1"
    done | awk '$1 != 200 { bad = 1 } $2 > worst { worst = $2 } END { print bad ? 999 : worst }')
    if awk "BEGIN { exit !($slowest < 0.05) }"; then return; fi
  done
  fail "the slowest answer of $1 $2 took $slowest s"
}

# 1. A read that never returns: opening this stat waits for a writer that does not come.
fixture_system
fixture_process 4242 stuck
rm "$WORK/proc/4242/stat"
mkfifo "$WORK/proc/4242/stat"
launch --path.procfs="$WORK/proc" --target=stuck=pid:4242
poll 10 answers /-/healthy || fail "it does not answer while a pass waits"
curl -s -m 60 -o /dev/null "$URL/metrics" &
track $!
waits_in_open() { cat /proc/"$DAEMON"/task/*/wchan | grep -qE 'fifo_open|wait_for_partner'; }
poll 10 waits_in_open || fail "no thread of the daemon waits for the FIFO: this test tests nothing"
quick /-/healthy "during a stalled pass"
stop "$DAEMON" || fail "SIGTERM does not end it while a pass waits"

# 2. Real processes that are stopped, or whose mmap lock is never free.
vitals
echo "map 15" >&7
sleep 1000 &
track $!
kill -s STOP $!
start --target=busy=pid:$VITALS --target=stopped=pid:$!
for _ in $(seq 20); do
  curl -s -m 10 -o /dev/null "$URL/metrics" &
  track $!
done
quick /-/healthy "during scrapes of a busy target"
scrape
expect "procvitals_target_up of the stopped target" "$(value procvitals_target_up target=stopped)" == 1
expect "procvitals_target_up of the busy target" "$(value procvitals_target_up target=busy)" == 1
