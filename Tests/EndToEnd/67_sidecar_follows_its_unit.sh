# procvitals@app watches exactly the processes of app.service, and starts, stops and restarts with it,
# also when app crashes; several sidecars and the daemon itself run beside each other.
. "$(dirname "$0")/lib.sh"
. "$HERE/box.sh"
box_with_unit
box_with_user

units=/usr/lib/systemd/system
box systemd-analyze verify --man=no $units/procvitals@app.service > "$WORK/verify" 2>&1
grep -v 'app.service' "$WORK/verify" && fail "systemd-analyze verify: $(cat "$WORK/verify")"
box systemd-analyze security --offline=true --threshold=20 $units/procvitals@.service \
  > "$WORK/security" || fail "exposed: $(tail -n 1 "$WORK/security")"
# One hardening, in two files.
settings() { sed -n '/^Restart=/,$p' "$WORK/tree$units/$1" | grep -v '^#\|^$\|^WantedBy='; }
diff <(settings procvitals.service) <(settings procvitals@.service) || fail "the units differ"

# NAME RESTART: a unit of two processes.
app() {
  printf '%s\n' '[Service]' "Restart=$2" 'RestartSec=100ms' \
    'ExecStart=/bin/sh -c "sleep 1000 & exec sleep 2000"' | box tee "/run/systemd/system/$1" > /dev/null
}
# UNIT PROPERTY
of() { box systemctl show -P "$2" "$1"; }
active() { [ "$(of "$1" ActiveState)" = active ]; }
inactive() { [ "$(of "$1" ActiveState)" = inactive ]; }
sidecar_journal() { box journalctl -q -n 20 -u "procvitals@$1"; }
sidecar_page() {
  box curl -sf -m 10 --unix-socket "/run/procvitals/$1.sock" http://box/metrics > "$WORK/page"
}
# NAME: whether its sidecar is there and its page is about that unit's processes and nothing else.
watches() {
  local target=${1//\\/\\\\} # as the page writes it
  active "$1" && active "procvitals@$1" && sidecar_page "$1" &&
    [ "$(value procvitals_target_processes target="$target")" = 2 ] &&
    [ "$(series procvitals_target_up | grep -c .)" = 1 ] &&
    [ "$(value process_start_time_seconds target="$target")" != "${began:-}" ]
}
expect_watched() { poll 20 watches "$1" || fail "$2: $(series procvitals_target_processes) $(sidecar_journal "$1")"; }

weird=$(systemd-escape 'we-ird/ä')
app app.service on-failure
app app@.service no
app "$weird.service" no
configure 'targets:\n  - {name: other, pid: 1}'
echo 'ARGS="--web.listen-address=127.0.0.1:9701"' | box tee "/etc/default/procvitals-app@1" > /dev/null
box systemctl daemon-reload
box systemctl -q enable procvitals@app procvitals@app@1 "procvitals@$weird" || fail "enable"
box systemctl start app app@1 app@2 "$weird" procvitals || fail "start"
expect_watched app "after start"
expect_watched app@1 "an instance of a template after start"
expect_watched "$weird" "an escaped name after start"
box curl -sf -m 10 http://127.0.0.1:9701/metrics | grep -q '^procvitals_target_up{target="app@1"} 1' ||
  fail "no page at the port of /etc/default/procvitals-app@1"
page && [ -n "$(series procvitals_target_up target=other)" ] || fail "no page of the daemon itself"
[ "$(box stat -c %a /run/procvitals /run/procvitals/app.sock | tr '\n' ' ')" = "750 660 " ] ||
  fail "modes: $(box ls -la /run/procvitals)"

# What must have changed once both were started anew, and what it was before.
renewed() { [ "$(of procvitals@app MainPID)" != "$sidecar" ] && watches app; }
note() {
  sidecar=$(of procvitals@app MainPID)
  sidecar_page app
  began=$(value process_start_time_seconds target=app)
}
note
box systemctl restart app || fail "restart"
poll 20 renewed || fail "restart of app: $(sidecar_journal app)"
note
box kill -s KILL "$(of app MainPID)"
poll 20 renewed || fail "crash of app that is started again: $(sidecar_journal app)"
note
box systemctl stop app || fail "stop"
poll 20 inactive procvitals@app || fail "the sidecar does not stop with app: $(sidecar_journal app)"
[ "$(of procvitals@app Result)" = success ] || fail "its end is no success: $(sidecar_journal app)"
box test ! -e /run/procvitals/app.sock || fail "the stopped sidecar leaves its socket"
box systemctl start app || fail "start"
poll 20 renewed || fail "start after stop: $(sidecar_journal app)"
began=

box kill -s KILL "$(of "app@1" MainPID)"
poll 20 inactive procvitals@app@1 || fail "crash of app@1: $(sidecar_journal app@1)"
[ "$(of app@1 ActiveState)" = failed ] || fail "stopping the sidecar changed app@1"
expect_watched "$weird" "after others have stopped"

# The sidecar's own end is no matter of the unit.
main=$(of app MainPID)
box kill -s KILL "$(of procvitals@app MainPID)"
recovered() { [ "$(of procvitals@app NRestarts)" = 1 ] && watches app; }
poll 20 recovered || fail "crash of the sidecar: $(sidecar_journal app)"
[ "$(of app MainPID)" = "$main" ] || fail "app did not survive its sidecar's crash"
