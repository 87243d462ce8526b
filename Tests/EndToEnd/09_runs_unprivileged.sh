# As nobody, another user's process has no I/O families, counted as unreadable; the rest is there.
. "$(dirname "$0")/lib.sh"
need_root
need setpriv

vitals
tell open 20
PREFIX=(setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all --bounding-set=-all)
start --target=app=pid:$VITALS
scrape
for family in process_cpu_seconds_total process_resident_memory_bytes process_virtual_memory_bytes \
  process_open_fds process_max_fds process_start_time_seconds process_threads \
  process_cpu_user_seconds_total process_minor_page_faults_total \
  process_context_switches_voluntary_total process_resident_memory_anon_bytes; do
  expect "$family" "$(value $family target=app)" ">=" 0
done
expect "process_open_fds" "$(value process_open_fds target=app)" == "$(ls /proc/$VITALS/fd | wc -l)"
if grep -q '^process_io_.*target="app"' "$WORK/page"; then
  fail "process_io_* without the right to read it: $(grep -m1 '^process_io_' "$WORK/page")"
fi
expect "procvitals_unreadable_total of io" \
  "$(value procvitals_unreadable_total target=app source=io)" ">=" 1
expect "procvitals_target_up" "$(value procvitals_target_up target=app)" == 1
scrape
expect "log lines about io" "$(grep -E 'target="?app' "$LOG" | grep -cE 'source="?io')" == 1
