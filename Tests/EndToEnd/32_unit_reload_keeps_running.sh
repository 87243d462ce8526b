# systemctl reload takes a good configuration, refuses a bad one, and ends in both cases.
. "$(dirname "$0")/lib.sh"
. "$HERE/box.sh"
box_with_unit

configure 'targets:\n  - {name: first, pid: 1}'
start_unit
main=$(show MainPID)
configure 'targets:\n  - {name: second, pid: 1}'
box timeout 20 systemctl reload procvitals || fail "reload: $(journal)"
taken() { page && [ "$(value procvitals_target_up target=second)" = 1 ]; }
poll 10 taken || fail "reload does not take the new configuration"
[ -z "$(series procvitals_target_up target=first)" ] || fail "the old target is still there"

configure 'targets: nonsense'
box timeout 20 systemctl reload procvitals
told() { page && [ "$(value procvitals_config_last_reload_successful)" = 0 ]; }
poll 10 told || fail "a bad reload is not told"
is ActiveState active "after a bad reload"
expect "target_up after a bad reload" "$(value procvitals_target_up target=second)" == 1
journal -p err..warning | grep -q 'procvitals.yaml:1:' ||
  fail "the journal does not say, as an error or a warning, what is wrong: $(journal -o short-full)"
[ "$(show MainPID)" = "$main" ] || fail "reload started another process"
