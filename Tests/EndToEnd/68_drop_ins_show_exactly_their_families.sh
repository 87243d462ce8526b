# Each shipped drop-in shows exactly the families that it names, as rights.py lists them, in the
# daemon's unit and in a sidecar's.
. "$(dirname "$0")/lib.sh"
. "$HERE/box.sh"
need python3
box_with_load
units=/run/systemd/system
shipped=/usr/share/procvitals/drop-ins

# A target in a network namespace of its own.
box systemd-run -q --unit=apart -p PrivateNetwork=yes python3 -c '
import socket, time
server = socket.create_server(("127.0.0.1", 7777))
time.sleep(250)' || fail "systemd-run"
configure "defaults: {collect: [$(all_groups)]}
targets:
  - {name: app, process_name: pv-rights}
  - {name: apart, systemd_unit: apart.service}"

# level NAME [DROP-IN]...: the daemon's unit under another name, with these, on a port of its own.
levels=() ports=9700
level() {
  local unit=level-$1 dir=$units/level-$1.service.d file
  ports=$((ports + 1))
  levels+=("$1=http://127.0.0.1:$ports")
  box mkdir "$dir"
  box cp /usr/lib/systemd/system/procvitals.service "$units/$unit.service"
  for file in "${@:2}"; do box cp "$shipped/$file.conf" "$dir" || fail "no $file.conf"; done
  if [ "$1" = root ]; then
    printf '[Service]\nDynamicUser=no\nUser=root\nCapabilityBoundingSet=~\n' |
      box tee "$dir/root.conf" > /dev/null
  fi
  printf '[Service]\nEnvironment=ARGS=--web.listen-address=127.0.0.1:%s\n' $ports |
    box tee "$dir/test.conf" > /dev/null
  box systemctl daemon-reload
  box systemctl start "$unit" || fail "$1: $(box journalctl -q -n 20 -u "$unit")"
}
# of LEVEL: fetches its page.
of() {
  local pair
  for pair in "${levels[@]}"; do
    [ "${pair%%=*}" != "$1" ] || box curl -sf -m 10 "${pair#*=}/metrics" > "$WORK/page"
  done
}
level none
level perfmon perfmon
level ptrace ptrace
level io io
level root
box env PYTHONDONTWRITEBYTECODE=1 python3 /opt/tests/rights.py compare /usr/bin/procvitals \
  "${levels[@]}" || fail "see above"

# What /health proposes for all of that is what is shipped for it.
capabilities() { sed -n 's/^AmbientCapabilities=//p' "$@" | tr ' ' '\n' | sort; }
box curl -s -m 10 "${levels[0]#*=}/health" |
  python3 -c 'import json, sys; print(json.load(sys.stdin)["rights"]["drop_in"])' > "$WORK/proposed"
diff <(capabilities "$WORK/proposed") <(capabilities "$ROOT"/systemd/drop-ins/{io,taskstats}.conf) ||
  fail "/health proposes something else than io.conf and taskstats.conf"

# They add up. Exit accounting itself works in the first network namespace only, which is not here:
# 22 has what it adds.
level several taskstats ptrace perfmon
of several
for name in CAP_NET_ADMIN CAP_PERFMON CAP_SYS_PTRACE; do
  expect "$name" "$(value procvitals_capability name=$name)" == 1
done
expect "CAP_DAC_READ_SEARCH" "$(value procvitals_capability name=CAP_DAC_READ_SEARCH)" == 0

of io
[ -z "$(series process_sockets target=apart protocol=tcp)" ] ||
  fail "sockets of another namespace without the right"
level containers containers
of containers
expect "sockets of another namespace" \
  "$(value process_sockets target=apart protocol=tcp state=listen)" == 1

# A sidecar, for all of which the drop-in holds.
box mkdir "$units/procvitals@.service.d"
box cp "$shipped/io.conf" "$units/procvitals@.service.d"
box systemctl daemon-reload
box systemctl start procvitals@apart || fail "sidecar: $(box journalctl -q -n 20 -u procvitals@apart)"
box curl -sf -m 10 --unix-socket /run/procvitals/apart.sock http://box/metrics > "$WORK/page"
expect "bytes read" "$(value process_io_read_bytes_total target=apart)" ">" 0
