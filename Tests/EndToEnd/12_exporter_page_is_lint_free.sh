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

# Every group, by either names: what promtool minds are names that others have made.
stop "$DAEMON"
printf 'defaults:\n  collect: [default, %s]\ntargets:\n  - {name: app, pid: %s}\n' \
  "$(all_groups)" $VITALS > "$WORK/all.yaml"
start --config.file="$WORK/all.yaml"
scrape
for names in process namedprocess; do
  curl -sS -m 30 -f "$URL/metrics?names=$names" > "$WORK/page" || fail "no page"
  promtool check metrics < "$WORK/page" > "$WORK/lint" 2>&1
  grep -vE '^(process|namedprocess_namegroup)_thread_count .*"_count" suffix$|^namedprocess_scrape_(partial_|procread_)?errors .*"_total" suffix$' \
    "$WORK/lint" > "$WORK/findings"
  [ ! -s "$WORK/findings" ] || fail "names=$names: $(cat "$WORK/findings")"
  [ "$(grep -c '' "$WORK/lint")" -le 4 ] && [ -s "$WORK/lint" ] || fail "names=$names: $(cat "$WORK/lint")"
done
