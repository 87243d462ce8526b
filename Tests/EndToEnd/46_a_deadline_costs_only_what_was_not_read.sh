# When a scrape's time is over, the targets that were read are served and the others fail (L5); only
# if there was no time for any the answer is 503.
. "$(dirname "$0")/lib.sh"
need python3

# Twenty processes whose status takes a while to open: a FIFO without a writer makes the reader wait,
# and once in so many seconds one comes. It tries the last one first, so that it lets one go at a time.
fixture_system
cat > "$WORK/c.yaml" <<CONF
limits: {kept_descriptors: 0}
targets:
CONF
for pid in $(seq 4241 4260); do
  fixture_process $pid slow$pid
  rm "$WORK/proc/$pid/status"
  mkfifo "$WORK/proc/$pid/status"
  echo "  - {name: t$pid, process_name: slow$pid}" >> "$WORK/c.yaml"
done
echo 0.1 > "$WORK/pause"
python3 - "$WORK" <<'PYTHON' &
import os, sys, time
while True:
    pause = open(sys.argv[1] + "/pause").read()
    open(sys.argv[1] + "/pausing", "w").write(pause)
    time.sleep(float(pause))
    for pid in range(4260, 4240, -1):
        try:
            os.close(os.open(f"{sys.argv[1]}/proc/{pid}/status", os.O_WRONLY | os.O_NONBLOCK))
        except OSError:
            pass
PYTHON
track $!
start --config.file="$WORK/c.yaml" --path.procfs="$WORK/proc" --log.level=error

# ask SECONDS: a scrape with so much time; its status.
ask() {
  curl -sS -m 60 -o "$WORK/page" -w '%{http_code}' -H "X-Prometheus-Scrape-Timeout-Seconds: $1" \
    "$URL/metrics"
}
succeeded() { series procvitals_target_scrape_success | grep -c ' 1$'; }

[ "$(ask 60)" = 200 ] || fail "a scrape with time enough: $(cat "$WORK/page")"
expect "targets that were read with time enough" "$(succeeded)" == 20
# 1.5 seconds less half of one are enough for about ten of them; a busy machine may spoil a try.
for _ in 1 2 3; do
  status=$(ask 1.5)
  [ "$status" = 200 ] && break
done
[ "$status" = 200 ] || fail "a scrape with little time: $(cat "$WORK/page")"
read=$(succeeded)
expect "targets that were read" "$read" '>=' 1
expect "targets that were read" "$read" '<' 20
expect "those that failed" "$(series procvitals_target_scrape_success | grep -c ' 0$')" == $((20 - read))
expect "late reads" "$(value procvitals_late_reads_total source=process)" '>=' $((20 - read))
expect "threads of targets" "$(series process_threads | grep -c .)" == "$read"
expect "targets that are up" "$(series procvitals_target_up | grep -c ' 1$')" == 20

# No time for a single one: half a second is over before the first one can be opened.
echo 3 > "$WORK/pause"
poll 10 grep -q 3 "$WORK/pausing"
[ "$(ask 1)" = 503 ] || fail "a scrape without time: $(cat "$WORK/page")"
grep -qx 'Exceeded configured timeout of 0.5s.' "$WORK/page" || fail "it says $(cat "$WORK/page")"
answers /-/healthy || fail "it does not answer any more"
