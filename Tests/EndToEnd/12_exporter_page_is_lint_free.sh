# promtool finds nothing to say about the page, in the ordinary case and with a target that is down.
. "$(dirname "$0")/lib.sh"
need promtool

vitals
printf 'targets:\n  - {name: app, pid: %s, children: true, labels: {service: "a \\"b\\" \\\\ c"}}\n  - {name: down, pid_file: /nonexistent}\n' \
  $VITALS > "$WORK/c.yaml"
start --config.file="$WORK/c.yaml"
tell fork 3
scrape
scrape
promtool check metrics < "$WORK/page" > "$WORK/lint" 2>&1
status=$?
[ $status = 0 ] && [ ! -s "$WORK/lint" ] || fail "promtool ended with $status: $(cat "$WORK/lint")"
expect "processes with three children" "$(value procvitals_target_processes target=app)" == 4
"$PROCVITALS" once --format text --target=app=pid:$VITALS > "$WORK/once" 2> "$LOG" ||
  fail "once does not work"
promtool check metrics < "$WORK/once" > "$WORK/lint" 2>&1 || fail "promtool about once: $(cat "$WORK/lint")"
