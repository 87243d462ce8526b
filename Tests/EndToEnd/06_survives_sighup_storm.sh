# A thousand SIGHUPs while it is scraped: no scrape fails, nothing leaks, the counters go on.
. "$(dirname "$0")/lib.sh"

vitals
tell burn 0.3
printf 'targets:\n  - {name: app, pid: %s}\n' $VITALS > "$WORK/c.yaml"
start --config.file="$WORK/c.yaml"
scrape
cpu=$(value process_cpu_seconds_total target=app)
descriptors=$(ls /proc/"$DAEMON"/fd | wc -l)
for i in $(seq 1000); do
  kill -s HUP "$DAEMON" || fail "it is gone after $i SIGHUPs"
  [ $((i % 50)) != 0 ] || scrape
done
settled() { scrape; [ "$(value procvitals_config_last_reload_successful)" = 1 ]; }
poll 10 settled || fail "the last reload did not succeed"
expect "CPU of the target" "$(value process_cpu_seconds_total target=app)" ">=" "$cpu"
no_leak() { [ "$(ls /proc/"$DAEMON"/fd | wc -l)" -le $((descriptors + 5)) ]; }
poll 10 no_leak || fail "it has $(ls /proc/"$DAEMON"/fd | wc -l) descriptors instead of $descriptors"

# A bad file changes nothing, and is told.
printf 'targets: nonsense\n' > "$WORK/c.yaml"
kill -s HUP "$DAEMON"
told() { scrape; [ "$(value procvitals_config_last_reload_successful)" = 0 ]; }
poll 10 told || fail "a bad configuration is not told by procvitals_config_last_reload_successful"
expect "procvitals_target_up after a bad reload" "$(value procvitals_target_up target=app)" == 1
grep -q 'c.yaml:1:' "$LOG" || fail "the log does not say where the bad configuration is wrong"

# A good one is taken.
printf 'targets:\n  - {name: app, pid: %s}\n  - {name: shell, pid: %s}\n' $VITALS $$ > "$WORK/c.yaml"
kill -s HUP "$DAEMON"
taken() { scrape; [ "$(value procvitals_target_up target=shell)" = 1 ]; }
poll 10 taken || fail "a new target is not watched after SIGHUP"
expect "CPU of the target" "$(value process_cpu_seconds_total target=app)" ">=" "$cpu"
