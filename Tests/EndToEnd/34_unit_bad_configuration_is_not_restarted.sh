# A bad configuration at start ends with status 2, says where, and is not tried again.
. "$(dirname "$0")/lib.sh"
. "$HERE/box.sh"
box_with_unit

configure 'targets: nonsense'
! box systemctl start procvitals 2> /dev/null || fail "start with a bad configuration succeeds"
is ExecMainStatus 2 "after a bad configuration"
is ActiveState failed "after a bad configuration"
is NRestarts 0 "after a bad configuration"
journal -p err..warning | grep -q 'procvitals.yaml:1:' ||
  fail "the journal does not say, as an error or a warning, what is wrong: $(journal)"

# A crash is tried again.
configure 'targets: []'
box systemctl reset-failed procvitals
start_unit
box kill -s KILL "$(show MainPID)"
restarted() { [ "$(show NRestarts)" = 1 ] && [ "$(show ActiveState)" = active ]; }
poll 30 restarted || fail "not restarted after a crash: $(journal)"
