# Under systemd what is logged goes to the journal with fields to search for, also after the journal
# was restarted, and stays readable; as JSON it goes to standard error.
. "$(dirname "$0")/lib.sh"
. "$HERE/box.sh"
need python3
box_with_unit

box sleep 1000 &
track $!
configure 'targets:\n  - {name: first, pid: 1}\n  - {name: app, process_name: sleep}'
start_unit
page || fail "no page: $(journal)"

# entry FIELD=VALUE...: the one entry; FIELDS: what of it is printed.
entry() { box journalctl -q -u procvitals -o json "$@"; }
field() { python3 -c 'import json, sys; print(json.loads(sys.stdin.read())[sys.argv[1]])' "$1"; }
arrived() { [ "$(entry "$@" | wc -l)" = 1 ]; }
poll 10 arrived TARGET=first PRIORITY=5 || fail "the journal has no TARGET=first: $(journal)"
up=$(entry TARGET=first PRIORITY=5)
for pair in PRIORITY=5 SYSLOG_IDENTIFIER=procvitals PID=1 _TRANSPORT=journal \
  _SYSTEMD_UNIT=procvitals.service "MESSAGE=target is up pid=1 processes=1 target=first"; do
  [ "$(field "${pair%%=*}" <<< "$up")" = "${pair#*=}" ] || fail "not $pair: $up"
done
box journalctl -q -u procvitals -o cat | grep -qx 'target is up pid=1 processes=1 target=first' ||
  fail "not the line for people: $(journal -o cat)"
# What cannot be read says what, why and of which target.
poll 10 arrived TARGET=first SOURCE=io REASON=denied PRIORITY=4 || fail "no SOURCE=io: $(journal)"

# A journal that starts anew is written to again.
box systemctl restart systemd-journald || fail "the journal does not restart"
box pkill -x sleep
page || fail "no page: $(journal)"
down() { entry TARGET=app PRIORITY=4 | grep -q '"ENDED"'; }
poll 10 down || fail "no fields after the restart of the journal: $(journal)"

# Every error of a bad configuration, with its place.
configure 'targets: nonsense\nnothing: 1'
box timeout 20 systemctl reload procvitals
wrong() { [ "$(entry PRIORITY=3 | grep -c '"ERROR" *: *"[^"]*procvitals.yaml:[12]:')" = 2 ]; }
poll 10 wrong || fail "not two errors with their place: $(journal -o json)"

configure 'targets: []'
drop_in "Environment=ARGS=--log.format=json"
box systemctl restart procvitals
# The journal takes a whole line that begins with an object for the message.
json() {
  journal -o cat | grep '^{' | tail -n 1 |
    python3 -c 'import json, sys; sys.exit(json.loads(sys.stdin.read())["msg"] != "ready")'
}
poll 10 json || fail "no JSON: $(journal -o cat)"
