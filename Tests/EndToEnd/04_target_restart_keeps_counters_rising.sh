# A target that is killed and started again: its counters go on rising, its end is counted.
. "$(dirname "$0")/lib.sh"

vitals
echo $VITALS > "$WORK/pid"
start --target=app=pid-file:"$WORK/pid"
tell burn 0.5
scrape
cpu=$(value process_cpu_seconds_total target=app)
born=$(value process_start_time_seconds target=app)
expect "CPU after burning 0.5 s" "$cpu" ">=" 0.48 # the kernel counts whole ticks

tell burn 0.5 # never scraped while it lives
first=$VITALS
kill -s KILL "$first"
wait "$first" 2>/dev/null
is_down() { scrape; [ "$(value procvitals_target_up target=app)" = 0 ]; }
poll 10 is_down || fail "still up after its process was killed"
after=$(value process_cpu_seconds_total target=app)
expect "CPU after the end" "$after" ">=" "$cpu"
expect "exits" "$(series process_exits_total target=app | awk '{ n += $NF } END { print n }')" == 1

vitals
echo $VITALS > "$WORK/pid"
is_up() { scrape; [ "$(value procvitals_target_up target=app)" = 1 ]; }
poll 10 is_up || fail "not up again after the restart"
again=$(value process_cpu_seconds_total target=app)
expect "CPU after the restart" "$again" ">=" "$after"
expect "starts" "$(value process_starts_total target=app)" ">=" 1
expect "start time" "$(value process_start_time_seconds target=app)" ">=" "$born"

tell burn 0.5
scrape
expect "CPU of both lives" "$(value process_cpu_seconds_total target=app)" ">=" "$after + 0.48"
echo "exit 3" >&7
poll 10 gone "$VITALS"
poll 10 is_down || fail "still up after it ended by itself"
expect "exits of both lives" "$(series process_exits_total target=app | awk '{ n += $NF } END { print n }')" == 2
