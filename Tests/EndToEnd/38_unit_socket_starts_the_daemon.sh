# The socket unit starts the daemon at the first request, and its port stays open meanwhile; it closes
# when requests meet a bad configuration, until somebody repairs that.
. "$(dirname "$0")/lib.sh"
. "$HERE/box.sh"
box_with_unit

unit=/usr/lib/systemd/system/procvitals.socket
box systemd-analyze verify --man=no $unit > "$WORK/verify" 2>&1 && [ ! -s "$WORK/verify" ] ||
  fail "systemd-analyze verify: $(cat "$WORK/verify")"
echo "ARGS='--web.systemd-socket --web.listen-address=127.0.0.1:1'" |
  box tee /etc/default/procvitals > /dev/null

# Without the socket unit there is nothing to listen on.
box systemctl start procvitals && fail "it starts without sockets"
journal | grep -q 'no socket activation file descriptors found' || fail "it says: $(journal)"
is ExecMainStatus 1 "without sockets"
box systemctl stop procvitals
box systemctl reset-failed procvitals

box mkdir -p /run/systemd/system/procvitals.socket.d
printf '[Socket]\nListenStream=/run/procvitals.sock\n' |
  box tee /run/systemd/system/procvitals.socket.d/test.conf > /dev/null
box systemctl daemon-reload
box systemctl start procvitals.socket || fail "the socket unit does not start"
is ActiveState inactive "before the first request"
page || fail "no page at the first request: $(journal)"
is ActiveState active "after the first request"
box curl -sf -m 10 -g 'http://[::1]:9656/-/healthy' > /dev/null || fail "no answer over IPv6"
box curl -sf -m 10 --unix-socket /run/procvitals.sock http://box/-/healthy > /dev/null ||
  fail "no answer at the socket in the file system"
[ "$(box ls -l /proc/"$(show MainPID)"/fd | grep -c 'socket:')" -ge 2 ] || fail "sockets are missing"

# A request that comes while the daemon is away is answered by the next one.
before=$(show MainPID)
box systemctl stop procvitals || fail "systemctl stop: $(journal)"
is Result success "after stop"
box test -S /run/procvitals.sock || fail "the socket file went with the daemon"
page || fail "no page after the stop: $(journal)"
[ "$(show MainPID)" != "$before" ] || fail "the same process answers"
box systemctl restart procvitals || fail "systemctl restart: $(journal)"
page || fail "no page after a restart: $(journal)"

# What docs/operations.md says to do.
box systemctl stop procvitals
configure 'targets: nonsense'
! page || fail "a page from a bad configuration"
closed() { [ "$(box systemctl show -P Result procvitals.socket)" = service-start-limit-hit ]; }
poll 20 closed || fail "the daemon is started without end: $(journal)"
configure 'targets: []'
box sh -c 'systemctl reset-failed procvitals.service procvitals.socket; systemctl restart procvitals.socket' ||
  fail "the socket unit does not start again"
page || fail "no page after the repair: $(journal)"
