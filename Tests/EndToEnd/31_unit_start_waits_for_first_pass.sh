# systemctl start returns when the first pass has ended, and meanwhile the daemon answers.
. "$(dirname "$0")/lib.sh"
. "$HERE/box.sh"

fixture_system
fixture_process 4242 stuck
stat=$(cat "$WORK/proc/4242/stat")
rm "$WORK/proc/4242/stat"
mkfifo -m 644 "$WORK/proc/4242/stat" # opening it waits for a writer
box_with_unit "$WORK/proc:/opt/proc"
drop_in "Environment='ARGS=--path.procfs=/opt/proc --target=stuck=pid:4242'"

box systemctl start procvitals &
starter=$!
track $starter
poll 20 box curl -sf http://127.0.0.1:9656/-/healthy || fail "does not answer during the first pass"
is ActiveState activating "while the first pass waits"
! gone $starter || fail "start returned before the first pass has ended"

echo "$stat" > "$WORK/proc/stat.new"
exec 5<> "$WORK/proc/4242/stat"
mv "$WORK/proc/stat.new" "$WORK/proc/4242/stat"
exec 5>&-
poll 20 gone $starter || fail "start does not return after the first pass"
is ActiveState active "after the first pass"
