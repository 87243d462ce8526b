# The .rpm package starts what was started before its upgrade, and once erased leaves nothing but what
# was changed. Dependencies are those of other systems, so they are not asked for.
. "$(dirname "$0")/lib.sh"
. "$HERE/box.sh"
. "$HERE/package.sh"
need curl nsenter findmnt setpriv
reason=$(box_possible) || skip "$reason"
box_possible # sets box_hierarchy
VERSION=$("$ROOT/scripts/version") || fail "there is no version"
mkdir "$WORK/package"
rpm_package "$WORK/package"
mv "$RPM" "$WORK/package/now.rpm"
finish() { box_stop; }
box_start "$WORK/package:/opt/package"
box_rpm() {
  box rpm --dbpath /run/rpm --nodeps "$@" > "$WORK/rpm" 2>&1 || fail "rpm $*: $(cat "$WORK/rpm")"
}
files "$WORK/before"

box_rpm --install /opt/package/now.rpm
box_with_user # where rpm is at home, systemd does this
box systemctl start procvitals || fail "start: $(journal)"
page || fail "no page: $(journal)"
printf '[Service]\nExecStart=/bin/sleep infinity\n' | box tee /run/systemd/system/app.service > /dev/null
box systemctl daemon-reload
box systemctl enable --now --quiet procvitals@app 2> /dev/null
box systemctl start app
poll 20 sidecar_watches app || fail "the sidecar: $(box journalctl -q -n 20 -u procvitals@app)"
main=$(show MainPID)
box_rpm --upgrade --force /opt/package/now.rpm
[ "$(show MainPID)" != "$main" ] || fail "the old daemon still runs"
page || fail "no page after the upgrade: $(journal)"
poll 20 sidecar_watches app || fail "no sidecar after the upgrade"

box_rpm --erase procvitals
for unit in procvitals.service procvitals.socket procvitals@app.service; do
  [ "$(box systemctl is-active $unit)" != active ] || fail "$unit runs after the removal"
done
files "$WORK/after"
# These belong to the file system itself where rpm is at home.
sed -i '\,/usr/share/\(fish\|fish/vendor_completions.d\|licenses\|zsh/site-functions\) $,d' \
  "$WORK/before" "$WORK/after"
diff "$WORK/before" "$WORK/after" || fail "the package leaves something behind"
! box test -e /run/procvitals || fail "/run/procvitals stays"
