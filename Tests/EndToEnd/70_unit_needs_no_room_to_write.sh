# The daemon writes no file: it starts, answers and reloads where file systems are full or read-only.
. "$(dirname "$0")/lib.sh"
. "$HERE/box.sh"
box_with_unit
configure 'targets:\n  - {name: init, pid: 1}'

loaded() { page && value procvitals_config_last_reload_success_timestamp_seconds; }
# lives WHEN: asks it, and lets it read its configuration.
lives() {
  local before now
  before=$(loaded) || fail "no page $1: $(journal)"
  later() { now=$(loaded) && awk "BEGIN { exit !($now > $before) }"; }
  box kill -s HUP "$(show MainPID)"
  poll 10 later || fail "no reload $1: $(journal)"
  expect "target_up $1" "$(value procvitals_target_up target=init)" == 1
}
# works WHEN: starts it anew as well.
works() {
  box systemctl restart procvitals || fail "start $1: $(journal)"
  lives "$1"
}
box sh -c 'mount -o remount,size=100M /run; mount -o remount,size=1M /tmp
  mount -t tmpfs -o size=1M tmpfs /var/tmp; mount -t tmpfs -o size=1M tmpfs /var/lib' || fail "mount"
works "with room"

# Nothing is open for writing but sockets, pipes and the like.
main=$(show MainPID)
box sh -c "cd /proc/$main/fd && for fd in *; do
  if [ -f \$fd ] && ! grep -q '^flags:.*[04]\$' ../fdinfo/\$fd; then readlink \$fd; fi; done" > "$WORK/open"
[ ! -s "$WORK/open" ] || fail "open for writing: $(cat "$WORK/open")"

for directory in /run /tmp /var/tmp /var/lib; do
  box dd if=/dev/zero of=$directory/filler bs=64k 2> "$WORK/dd"
  grep -q 'No space left' "$WORK/dd" || fail "$directory is not full: $(cat "$WORK/dd")"
done
lives "when file systems become full"
is MainPID "$main" "when file systems become full"
works "where file systems are full"
box rm /run/filler

# The unit leaves the daemon its own /tmp to write to; here not even that.
drop_in "ReadOnlyPaths=/tmp /var/tmp"
works "where file systems are read-only"
for directory in / /etc/procvitals /run /run/lock /tmp /var/tmp /var/lib; do
  box nsenter --target="$(show MainPID)" --mount touch $directory/written 2> /dev/null &&
    fail "$directory is writable for the daemon"
done
# Without /tmp systemd itself starts no such unit, but what runs goes on.
at="/tmp /var/tmp /var/lib"
box sh -c "for at in $at; do mount -o remount,bind,ro \$at; done" || fail "remount"
lives "when file systems become read-only"
box sh -c "for at in $at; do mount -o remount,bind,rw \$at; done" || fail "remount"
is NRestarts 0 "in the end"
