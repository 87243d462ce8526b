# The package starts its service, an upgrade fails no scrape of the socket and keeps what was
# configured, and a purge leaves nothing.
. "$(dirname "$0")/lib.sh"
. "$HERE/box.sh"
. "$HERE/package.sh"
box_with_package
files "$WORK/before"

install_package now.deb
is ActiveState active "after the installation"
is UnitFileState enabled "after the installation"
[ "$(box systemctl is-enabled procvitals.socket)" = disabled ] || fail "the socket is enabled"
page || fail "no page: $(journal)"
expect "target_up of itself" "$(value procvitals_target_up target=procvitals)" == 1

configure 'targets:\n  - {name: init, pid: 1}'
box systemctl reload procvitals || fail "reload: $(journal)"
init_is_up() { page && [ "$(value procvitals_target_up target=init)" = 1 ]; }
poll 10 init_is_up || fail "not the page of what was reloaded: $(journal)"

# A sidecar belongs to its unit, and takes part in upgrades.
printf '[Service]\nExecStart=/bin/sleep infinity\n' | box tee /run/systemd/system/app.service > /dev/null
box systemctl daemon-reload
box systemctl start app.service
box systemctl enable --now --quiet procvitals@app.service || fail "the sidecar does not start"
sidecar=$(box systemctl show -P MainPID procvitals@app.service)

# The socket holds the port while the daemon is away; somebody scrapes all the time, each time over a
# connection of its own.
echo 'ARGS="--web.systemd-socket"' | box tee /etc/default/procvitals > /dev/null
box systemctl disable --now --quiet procvitals.service
box systemctl enable --now --quiet procvitals.socket
page || fail "no page through the socket: $(journal)"
before=$(show MainPID)
opened=$(box systemctl show -P ActiveEnterTimestampMonotonic procvitals.socket)
cat > "$WORK/package/scrape" <<'SCRAPE'
while [ ! -e /opt/package/enough ]; do
  curl -sSf -m 20 -o /dev/null -w '%{http_code}\n' http://127.0.0.1:9656/metrics
done
SCRAPE
box bash /opt/package/scrape > "$WORK/scrapes" 2>&1 &
track $!
scraped() { [ "$(grep -c '^200$' "$WORK/scrapes")" -ge "$1" ]; }
poll 20 scraped 20 || fail "nothing is scraped: $(journal)"
install_package next.deb
poll 20 scraped $(($(wc -l < "$WORK/scrapes") + 20)) || fail "not scraped after the upgrade: $(journal)"
touch "$WORK/package/enough"
wait $!
! grep -v '^200$' "$WORK/scrapes" || fail "scrapes failed during the upgrade"
is ActiveState active "after the upgrade"
is UnitFileState disabled "after the upgrade"
[ "$(show MainPID)" != "$before" ] || fail "the old daemon still runs"
[ "$(box systemctl is-active procvitals@app.service)" = active ] || fail "the sidecar ended"
[ "$(box systemctl show -P MainPID procvitals@app.service)" != "$sidecar" ] ||
  fail "the old sidecar still runs"
[ "$(box systemctl show -P ActiveEnterTimestampMonotonic procvitals.socket)" = "$opened" ] ||
  fail "the upgrade closed the socket"
page || fail "no page after the upgrade: $(journal)"
expect "target_up of init" "$(value procvitals_target_up target=init)" == 1

# What is stopped stays stopped.
box systemctl disable --now --quiet procvitals.socket
box systemctl stop procvitals.service
install_package now.deb
is ActiveState inactive "after an upgrade of a service that is stopped and disabled"

box systemctl start procvitals.socket
page || fail "no page through the socket: $(journal)"
remove_package remove
for unit in procvitals.service procvitals.socket procvitals@app.service; do
  [ "$(box systemctl is-active $unit)" != active ] || fail "$unit runs after the removal"
done
! page || fail "something answers after the removal"
box grep -q 'name: init' /etc/procvitals/procvitals.yaml || fail "the configuration went"

remove_package purge
box rm /etc/default/procvitals # the administrator's
files "$WORK/after"
diff "$WORK/before" "$WORK/after" || fail "the package leaves something behind"
! box test -e /run/procvitals || fail "/run/procvitals stays"
[ -z "$(box systemctl list-unit-files --no-legend 'procvitals*')" ] || fail "systemd knows its units"
