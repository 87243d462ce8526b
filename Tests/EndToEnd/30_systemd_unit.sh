# The unit as installed, under a real systemd: start, status, reload, watchdog, rights, exposure.
. "$(dirname "$0")/lib.sh"
. "$HERE/box.sh"
need make strip
reason=$(box_possible) || skip "$reason"
box_possible

make -s -C "$ROOT" install DESTDIR="$WORK/tree" PREFIX=/usr BINARY="$PROCVITALS" > "$WORK/make" 2>&1 ||
  fail "make install: $(cat "$WORK/make")"
fixture_system
fixture_process 4242 stuck
stat=$(cat "$WORK/proc/4242/stat")
rm "$WORK/proc/4242/stat"
mkfifo -m 644 "$WORK/proc/4242/stat"

finish() { box_stop; }
box_start "$WORK/tree:/opt/tree" "$WORK/proc:/opt/proc"
box cp -a /opt/tree/. /
box rm -f /etc/procvitals/procvitals.yaml # it must work without
box systemctl daemon-reload
show() { box systemctl show -P "$1" procvitals; }
is() { [ "$(show "$1")" = "$2" ] || fail "$1 is '$(show "$1")' instead of '$2' ($3): $(box journalctl -q -u procvitals -n 20)"; }
page() { box curl -sf -m 10 http://127.0.0.1:9656/metrics > "$WORK/page"; }
drop_in() {
  box mkdir -p /run/systemd/system/procvitals.service.d
  printf '[Service]\n%s\n' "$1" | box tee /run/systemd/system/procvitals.service.d/test.conf > /dev/null
  box systemctl daemon-reload
}

box systemd-analyze verify /usr/lib/systemd/system/procvitals.service > "$WORK/verify" 2>&1 && [ ! -s "$WORK/verify" ] ||
  fail "systemd-analyze verify: $(cat "$WORK/verify")"
box systemd-analyze security --offline=true --threshold=20 /usr/lib/systemd/system/procvitals.service > "$WORK/security" ||
  fail "too exposed: $(tail -n 1 "$WORK/security")"

# Without a configuration it watches itself; as nobody it reads its own I/O and not another's.
drop_in "Environment='ARGS=--target=init=pid:1 --target=self=name:procvitals'"
box systemctl start procvitals || fail "start: $(box journalctl -q -u procvitals)"
is ActiveState active "after start"
[ -n "$(show StatusText)" ] || fail "systemctl status shows no STATUS"
page || fail "no page"
expect "up of init" "$(value procvitals_target_up target=init)" == 1
expect "descriptors of init" "$(value process_open_fds target=init)" == "$(box sh -c 'ls /proc/1/fd | wc -l')"
[ -z "$(series process_io_read_bytes_total target=init)" ] || fail "I/O of init without the right to read it"
[ "$(show UID)" != 0 ] && [ -n "$(show UID)" ] || fail "it runs as root"
[ "$(box grep CapEff /proc/"$(show MainPID)"/status | cut -f2)" = 0000000000000000 ] || fail "it has capabilities"
box systemctl stop procvitals
is Result success "after stop"

# start returns at READY, and READY comes after the first pass.
drop_in "Environment='ARGS=--path.procfs=/opt/proc --target=stuck=pid:4242'"
box systemctl start procvitals &
starter=$!
track $starter
poll 10 box curl -sf http://127.0.0.1:9656/-/healthy || fail "does not answer during the first pass"
is ActiveState activating "while the first pass waits"
gone $starter && fail "start returned before the first pass has ended"
echo "$stat" > "$WORK/proc/stat.new"
exec 5<> "$WORK/proc/4242/stat"
mv "$WORK/proc/stat.new" "$WORK/proc/4242/stat"
exec 5>&-
poll 20 gone $starter || fail "start does not return after the first pass"
is ActiveState active "after the first pass"
box systemctl stop procvitals

# With a configuration: reload, a bad reload, the watchdog.
drop_in "WatchdogSec=2s"
printf 'targets:\n  - {name: init, pid: 1}\n' | box tee /etc/procvitals/procvitals.yaml > /dev/null
box systemctl start procvitals || fail "start with a configuration: $(box journalctl -q -u procvitals -n 20)"
printf 'targets:\n  - {name: first, pid: 1}\n' | box tee /etc/procvitals/procvitals.yaml > /dev/null
timeout 20 bash -c "$(declare -f box); box_leader=$box_leader; box systemctl reload procvitals" || fail "reload"
taken() { page && [ "$(value procvitals_target_up target=first)" = 1 ]; }
poll 10 taken || fail "reload does not take the new configuration"
printf 'targets: nonsense\n' | box tee /etc/procvitals/procvitals.yaml > /dev/null
box systemctl reload procvitals
told() { page && [ "$(value procvitals_config_last_reload_successful)" = 0 ]; }
poll 10 told || fail "a bad reload is not told"
is ActiveState active "after a bad reload"
printf 'targets:\n  - {name: first, pid: 1}\n' | box tee /etc/procvitals/procvitals.yaml > /dev/null
main=$(show MainPID)
box kill -s STOP "$main"
restarted() { [ "$(show NRestarts)" = 1 ] && [ "$(show ActiveState)" = active ]; }
poll 30 restarted || fail "the watchdog did not restart a stopped daemon: $(show ActiveState) $(show NRestarts)"
[ "$(show MainPID)" != "$main" ] || fail "it is the same process after the watchdog"
box systemctl stop procvitals

# A bad configuration at start: status 2, and no restarts.
printf 'targets: nonsense\n' | box tee /etc/procvitals/procvitals.yaml > /dev/null
box systemctl start procvitals 2> /dev/null && fail "start with a bad configuration succeeds"
is ExecMainStatus 2 "after a bad configuration"
is ActiveState failed "after a bad configuration"
is NRestarts 0 "after a bad configuration"
box journalctl -q -u procvitals -p warning | grep -q 'procvitals.yaml:1:' ||
  fail "the journal has no priority or place of the error: $(box journalctl -q -u procvitals -n 5)"
