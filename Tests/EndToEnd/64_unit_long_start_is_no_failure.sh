# A first collection that takes longer than TimeoutStartSec= is waited for, and a reload meanwhile
# returns.
. "$(dirname "$0")/lib.sh"
. "$HERE/box.sh"

fixture_system
fixture_process 4242 stuck
cp "$WORK/proc/4242/stat" "$WORK/proc/stat.new"
rm "$WORK/proc/4242/stat"
mkfifo -m 644 "$WORK/proc/4242/stat" # opening it waits for a writer
box_with_unit "$WORK/proc:/opt/proc"
drop_in "$(printf '%s\n' 'TimeoutStartSec=2' \
  "Environment='ARGS=--path.procfs=/opt/proc --target=stuck=pid:4242'")"

box systemctl start procvitals &
starter=$!
track $starter
poll 20 box curl -sf http://127.0.0.1:9656/-/healthy || fail "does not answer during the first pass"
[[ $(show StatusText) == *"first collection"* ]] || fail "the status is '$(show StatusText)'"
box systemctl reload procvitals &
reloader=$!
track $reloader
begun=$SECONDS
# More than twice the time.
long() { [ $((SECONDS - begun)) -ge 5 ]; }
poll 20 long
is ActiveState activating "after TimeoutStartSec="
is NRestarts 0 "after TimeoutStartSec="
! gone $starter || fail "start returned before the first pass has ended"

exec 5<> "$WORK/proc/4242/stat"
mv "$WORK/proc/stat.new" "$WORK/proc/4242/stat"
exec 5>&-
poll 20 gone $starter || fail "start does not return after the first pass"
wait $starter || fail "start failed: $(journal)"
is ActiveState active "after the first pass"
is Result success "after the first pass"
poll 20 gone $reloader || fail "a reload that was asked for during the first pass does not return"
box timeout 20 systemctl reload procvitals || fail "reload afterwards: $(journal)"
