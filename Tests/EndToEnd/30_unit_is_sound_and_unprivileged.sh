# The installed unit has no flaw that systemd knows, little exposure, and no capability.
. "$(dirname "$0")/lib.sh"
. "$HERE/box.sh"
box_with_unit

unit=/usr/lib/systemd/system/procvitals.service
box systemd-analyze verify --man=no $unit > "$WORK/verify" 2>&1 && [ ! -s "$WORK/verify" ] ||
  fail "systemd-analyze verify: $(cat "$WORK/verify")"
box systemd-analyze security --offline=true --threshold=20 $unit > "$WORK/security" ||
  fail "exposed: $(tail -n 1 "$WORK/security")"
box grep -q '^ExecStart=/usr/bin/procvitals ' $unit || fail "ExecStart is not what was installed"

# Without a configuration it starts and watches itself.
start_unit
is ActiveState active "after start"
[ -n "$(show StatusText)" ] || fail "systemctl status shows no STATUS"
page || fail "no page: $(journal)"
expect "target_up of itself" "$(value procvitals_target_up target=procvitals)" == 1

drop_in "Environment='ARGS=--target=init=pid:1 --target=self=name:procvitals'"
box systemctl restart procvitals
page || fail "no page with targets in ARGS: $(journal)"
[ "$(box stat -c %U /proc/"$(show MainPID)")" != root ] || fail "it runs as root"
for set in CapEff CapPrm CapBnd CapAmb; do
  box grep -q "^$set:.0000000000000000$" /proc/"$(show MainPID)"/status || fail "it has $set"
done
expect "descriptors of init" "$(value process_open_fds target=init)" == \
  "$(box sh -c 'ls /proc/1/fd | wc -l')"
[ -z "$(series process_io_read_bytes_total target=init)" ] || fail "I/O without the right to read it"
expect "unreadable io of init" \
  "$(value procvitals_unreadable_total target=init source=io)" ">=" 1
expect "its own bytes read" "$(value process_io_read_bytes_total target=self)" ">" 0

box systemctl stop procvitals
is Result success "after stop"
is ExecMainStatus 0 "after stop"
