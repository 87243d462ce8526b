# explain names the target of each process, or the first condition that does not hold, and says what
# a scrape costs.
. "$(dirname "$0")/lib.sh"

sleep 300 &
pid=$!
track $pid
cat > "$WORK/procvitals.yaml" <<'YAML'
targets:
  - {name: line, process_name: sleep, cmdline: 'sleep 301'}
  - {name: user, process_name: sleep, user: nobody}
  - {name: "nap-${time}", process_name: sleep, cmdline: 'sleep (?<time>300)'}
  - {name: later, process_name: sleep}
YAML
poll 10 grep -q sleep /proc/$pid/comm || fail "sleep has not started"
explain() { "$PROCVITALS" explain --config.file="$WORK/procvitals.yaml" "$@"; }

one=$(explain --pid $pid) || fail "explain --pid ended with $?"
for line in "$pid sleep: belongs to nap-300" "line: cmdline does not hold" \
  "user: user does not hold" 'nap-${time}: fits' "later: fits" "a scrape: "; do
  [[ $one == *"$line"* ]] || fail "expected \"$line\" in: $one"
done
all=$(explain) || fail "explain ended with $?"
[[ $all == *"$pid sleep: belongs to nap-300"* ]] || fail "all processes: $all"
[[ $all == *": no target (line: process_name does not hold; "* ]] || fail "no reasons: $all"
[[ $(explain --pid 4194304) == *"4194304: no such process"* ]] || fail "no word about a process that is not there"
