# Where the kernel tells of processes, a scrape sees each that has begun, called exec or taken another
# name before it, among 2,000 that are not targets.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/discovery.sh"

among_others
[ "$(value procvitals_capability name=proc_connector)" = 1 ] ||
  skip "the proc connector needs Linux 6.6 or CAP_NET_ADMIN"
begin
change
scrape
for target in new exec name; do
  expect "processes of $target" "$(value procvitals_target_processes target=$target)" == 1
done
expect "events lost" "$(value procvitals_events_lost_total source=proc_connector)" == 0
tell name pv-other
has name 0 || fail "a process that has another name is still there"
