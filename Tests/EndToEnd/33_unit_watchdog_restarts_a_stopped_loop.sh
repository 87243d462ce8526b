# A daemon whose loop no longer turns is ended and started again by systemd's watchdog.
. "$(dirname "$0")/lib.sh"
. "$HERE/box.sh"
box_with_unit

box systemctl cat procvitals | grep -q '^WatchdogSec=30s' || fail "the unit has no WatchdogSec=30s"
drop_in "WatchdogSec=2s"
start_unit
# Four periods pass without harm while the loop turns.
begun=$SECONDS
four_periods() { [ $((SECONDS - begun)) -gt 8 ]; }
poll 20 four_periods
is NRestarts 0 "while the loop turns"

main=$(show MainPID)
box kill -s STOP "$main"
restarted() { [ "$(show NRestarts)" = 1 ] && [ "$(show ActiveState)" = active ]; }
poll 60 restarted || fail "not restarted: $(show ActiveState), $(show NRestarts) restarts: $(journal)"
[ "$(show MainPID)" != "$main" ] || fail "it is the same process"
page || fail "no page after the restart"
