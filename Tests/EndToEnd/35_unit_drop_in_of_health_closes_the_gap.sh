# The drop-in that /health names, taken as it is, makes readable what was denied.
. "$(dirname "$0")/lib.sh"
. "$HERE/box.sh"
box_with_unit
configure 'targets:\n- {name: init, pid: 1, collect: [default, fds]}'
start_unit
page || fail "no page: $(journal)"
[ -z "$(series process_io_read_bytes_total target=init)" ] || fail "I/O without the right to read it"
[ -z "$(series process_fds target=init)" ] || fail "descriptors without the right to read them"

box mkdir -p /run/systemd/system/procvitals.service.d
box curl -s -m 10 http://127.0.0.1:9656/health |
  python3 -c 'import json, sys; print(json.load(sys.stdin)["rights"]["drop_in"])' |
  box tee /run/systemd/system/procvitals.service.d/rights.conf > "$WORK/drop-in"
grep -q '^AmbientCapabilities=' "$WORK/drop-in" || fail "no drop-in: $(cat "$WORK/drop-in")"
box systemctl daemon-reload
box systemctl restart procvitals
page || fail "no page with the drop-in: $(journal)"
expect "bytes read by init" "$(value process_io_read_bytes_total target=init)" ">" 0
expect "descriptors of init" "$(value process_fds target=init kind=eventpoll)" ">=" 1
box curl -s -m 10 http://127.0.0.1:9656/health | grep -q '"denied":\[\],"drop_in":null' ||
  fail "/health still has gaps: $(box curl -s -m 10 http://127.0.0.1:9656/health)"
