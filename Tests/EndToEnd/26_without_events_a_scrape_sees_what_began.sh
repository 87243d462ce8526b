# Where the kernel does not tell of processes, as in another network namespace, a scrape sees each
# that has begun before it, among 2,000 that are not targets; a young one that calls exec or takes
# another name is seen when it is a quarter older.
if [ "$(id -u)" = 0 ] && [ -z "${IN_OWN_NETWORK:-}" ] && command -v unshare ip > /dev/null; then
  IN_OWN_NETWORK=1 exec unshare --net sh -c 'ip link set lo up && exec bash "$0"' "$0"
fi
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/discovery.sh"
need_root
need unshare ip

among_others
expect "the proc connector" "$(value procvitals_capability name=proc_connector)" == 0
grep -q 'does not tell of new and changed processes' "$LOG" || fail "the log does not say so"
begin
has new 1 || fail "a new process is not seen at the next scrape"
change
for target in exec name; do
  poll 60 has $target 1 || fail "a process of $target is not seen after 60 s"
done
