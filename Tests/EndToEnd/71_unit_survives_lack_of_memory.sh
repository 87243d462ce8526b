# A daemon that the kernel kills for memory, or whose allocation fails, is started again, and goes on.
. "$(dirname "$0")/lib.sh"
. "$HERE/box.sh"
need prlimit
box_with_unit
finish() {
  box_stop
  remove_groups
}
make_groups

# What a collection of this takes is more than the rest of the daemon.
few='targets:\n  - {name: init, pid: 1}'
many=$few$(for i in $(seq 2000); do printf '\\n  - {name: "a rather long name %s", pid: %s}' "$i" "$i"; done)
configure "$few"
start_unit
is OOMScoreAdjust -500 "of the unit"

restarted() { [ "$(show NRestarts)" = "$1" ] && [ "$(show ActiveState)" = active ] && page; }
# gone_on COUNT WHAT: it was restarted, with what is configured now.
gone_on() {
  poll 30 restarted "$1" || fail "$2: $(show NRestarts) restarts: $(journal)"
  expect "targets after $2" "$(series procvitals_target_up | grep -c .)" == 2001
  configure "$few"
  box timeout 20 systemctl reload procvitals || fail "reload after $2: $(journal)"
}

# An allocation that fails: there is room for the stack of the thread that reads the configuration,
# and for little more. Only who the daemon is may lower its limits.
main=$(show MainPID)
size=$(box awk '/^VmSize:/ { print $2 * 1024 }' "/proc/$main/status")
box setpriv --reuid="$(box stat -c %u "/proc/$main")" --regid="$(box stat -c %g "/proc/$main")" \
  --clear-groups prlimit --pid "$main" --as=$((size + (9 << 20))) || fail "prlimit"
configure "$many"
box systemctl --no-block reload procvitals
gone_on 1 "an allocation that failed"

# The daemon's number outside of the box, where a control group with little memory can be had.
main=$(show MainPID)
outside=$(grep -l "^NSpid:.*[^0-9]$main\$" /proc/[0-9]*/status 2> /dev/null | while read -r status; do
  grep -q "procvitals-e2e-$$" "${status%status}cgroup" && basename "${status%/status}"
done)
if [ -e "$WORK/small" ]; then
  limit=$WORK/small/memory.limit_in_bytes
  [ -e "$limit" ] || limit=$WORK/small/memory.max
  echo $((1 << 20)) > "$limit"
  echo "$outside" > "$WORK/small/cgroup.procs" || fail "it cannot be moved"
  configure "$many"
  box systemctl --no-block reload procvitals
  gone_on 2 "an end by the kernel"
  grep -q '^oom_kill [1-9]' "$WORK"/small/memory.{oom_control,events} 2> /dev/null ||
    fail "the kernel did not kill it: $(journal)"
  [ "$(show MainPID)" != "$main" ] || fail "it is the same process"
else
  skip "no memory control group can be made here; a failed allocation alone was survived"
fi
