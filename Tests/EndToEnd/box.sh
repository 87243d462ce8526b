# A throw-away systemd for tests: the machine's own, as PID 1 of fresh namespaces.
#
# Its root is a copy-on-write view of the machine's; what happens inside stays in memory and goes
# away with it. It has its own loopback only, a cgroup v2 tree of its own, and no capability to
# load modules. Needs root, systemd, util-linux and a mounted cgroup v2 hierarchy.

# box_possible: says why not, where there can be no box.
box_possible() {
  [ "$(id -u)" = 0 ] || { echo "needs root"; return 1; }
  [ -x /lib/systemd/systemd ] || { echo "no systemd on this machine"; return 1; }
  box_hierarchy=$(findmnt -n -t cgroup2 -o TARGET | head -1)
  [ -n "$box_hierarchy" ] || { echo "no cgroup v2 hierarchy is mounted"; return 1; }
  local probe=$box_hierarchy/procvitals-e2e-probe-$$
  mkdir "$probe" 2>/dev/null || { echo "$box_hierarchy is not writable"; return 1; }
  rmdir "$probe"
  unshare --mount --pid --fork --cgroup --net true 2>/dev/null ||
    { echo "this machine does not let root make namespaces"; return 1; }
}

# box_start [FROM:TO]...: boots; each directory FROM of the machine is visible as TO inside.
box_start() {
  box_state=$WORK/box
  box_group=$box_hierarchy/procvitals-e2e-$$
  mkdir "$box_state" "$box_group"
  (
    echo "$BASHPID" > "$box_group/cgroup.procs"
    exec unshare --fork --kill-child=KILL --pid --mount --uts --ipc --net --cgroup \
      bash "$HERE/box_init.sh" "$box_state" "$@" < /dev/null > "$box_state/console" 2>&1
  ) &
  box_outside=$!
  box_leader=
  poll 30 box_booted || { cat "$box_state/console"; box_stop; fail "systemd did not boot"; }
}

box_booted() {
  box_leader=$(pgrep -P "$box_outside" -x systemd) && box systemctl is-active -q basic.target
}

# box COMMAND...: runs a command inside, as root.
box() {
  nsenter --target "$box_leader" --mount --uts --ipc --net --pid --cgroup --root --wdns=/ \
    env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 \
    HOME=/root SYSTEMD_PAGER= SYSTEMD_COLORS=0 "$@"
}

# box_stop: shuts it down and removes its cgroups.
box_stop() {
  [ -n "${box_group:-}" ] || return 0
  if [ -n "${box_leader:-}" ]; then kill -s RTMIN+3 "$box_leader" 2>/dev/null; fi
  poll 20 box_gone || kill -s KILL "$box_outside"
  wait "$box_outside" 2>/dev/null
  poll 5 box_group_removed || echo "left behind: $box_group" >&2
  rm -rf --one-file-system "$box_state"
  box_group=
}
box_gone() { ! kill -0 "$box_outside" 2>/dev/null; }
box_group_removed() {
  find "$box_group" -depth -type d -exec rmdir {} \; 2>/dev/null
  [ ! -e "$box_group" ]
}

# box_with_unit [FROM:TO]...: a box with procvitals installed and not started, without a
# configuration; skips the test where that is not possible.
box_with_unit() {
  need make strip curl nsenter findmnt setpriv
  local reason
  reason=$(box_possible) || skip "$reason"
  box_possible # sets box_hierarchy
  make -s -C "$ROOT" install DESTDIR="$WORK/tree" PREFIX=/usr BINARY="$PROCVITALS" \
    > "$WORK/make" 2>&1 || fail "make install: $(cat "$WORK/make")"
  finish() { box_stop; }
  box_start "$WORK/tree:/opt/tree" "$@"
  box cp -a /opt/tree/. /
  box rm -f /etc/procvitals/procvitals.yaml
  box systemctl daemon-reload
}

# box_with_user: what sysusers.d and tmpfiles.d say, as after the installation of a package.
box_with_user() {
  box systemd-sysusers 2> /dev/null || fail "systemd-sysusers"
  box systemd-tmpfiles --create /usr/lib/tmpfiles.d/procvitals.conf || fail "systemd-tmpfiles"
}

# box_with_load: a box with procvitals, its user, and load.service, a process pv-rights with something
# of everything, of a user of its own, so that what counts by user is its own too. Tests are at
# /opt/tests.
box_with_load() {
  load_program
  mkdir "$WORK/held"
  mv "$WORK/load" "$WORK/held"
  box_with_unit "$WORK/held:/opt/held" "$HERE:/opt/tests"
  box_with_user
  echo 'u watched -' | box systemd-sysusers - 2> /dev/null || fail "systemd-sysusers"
  box chown watched /opt/held
  box systemd-run -q --unit=load -p User=watched -E PYTHONDONTWRITEBYTECODE=1 \
    python3 /opt/tests/rights.py hold /opt/held/load /opt/held || fail "systemd-run"
  poll 30 test -e "$WORK/held/held" || fail "the load program: $(box journalctl -q -u load)"
}

# drop_in LINE: a setting of the [Service] section for this test.
drop_in() {
  local dir=/run/systemd/system/procvitals.service.d
  box mkdir -p $dir
  printf '[Service]\n%s\n' "$1" | box tee $dir/test.conf > /dev/null
  box systemctl daemon-reload
}
configure() { printf '%b\n' "$1" | box tee /etc/procvitals/procvitals.yaml > /dev/null; }
show() { box systemctl show -P "$1" procvitals; }
journal() { box journalctl -q -u procvitals -n 20 "$@"; }
# is PROPERTY VALUE WHEN: what systemd says about the unit.
is() {
  [ "$(show "$1")" = "$2" ] || fail "$1 is '$(show "$1")' instead of '$2' $3: $(journal)"
}
start_unit() { box systemctl start procvitals || fail "systemctl start: $(journal)"; }
page() { box curl -sf -m 10 http://127.0.0.1:9656/metrics > "$WORK/page"; }
