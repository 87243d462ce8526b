# READY=1 is sent when the first pass has ended, not before: here its first read waits.
. "$(dirname "$0")/lib.sh"
need python3

fixture_system
fixture_process 4242 stuck
stat=$(cat "$WORK/proc/4242/stat")
rm "$WORK/proc/4242/stat"
mkfifo "$WORK/proc/4242/stat" # opening it waits for a writer

python3 - "$WORK/notify" "$WORK/messages" <<'PYTHON' &
import socket, sys
listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
listener.bind(sys.argv[1])
with open(sys.argv[2], "w") as out:
    while True:
        print(listener.recv(4096).decode(), file=out, flush=True)
PYTHON
track $!
poll 5 test -S "$WORK/notify" || fail "the listener did not start"

PREFIX=(env NOTIFY_SOCKET="$WORK/notify")
launch --path.procfs="$WORK/proc" --target=stuck=pid:4242
poll 10 answers /-/healthy || fail "it does not answer while the first pass waits"
[ "$(curl -s -o /dev/null -w '%{http_code}' "$URL/-/ready")" = 503 ] || fail "/-/ready is not 503"
! grep -q READY=1 "$WORK/messages" || fail "READY=1 before the first pass has ended"

# A reload meanwhile does not make it ready.
kill -s HUP "$DAEMON"
poll 10 grep -q 'configuration reloaded' "$LOG" || fail "it does not reload while a pass waits"
! grep -qE 'READY=1|RELOADING=1' "$WORK/messages" || fail "a reload before the first pass is told"

# Let the read go on: those that come later find an ordinary file.
echo "$stat" > "$WORK/proc/stat.new"
exec 5<> "$WORK/proc/4242/stat"
mv "$WORK/proc/stat.new" "$WORK/proc/4242/stat"
exec 5>&-
poll 30 grep -q READY=1 "$WORK/messages" || fail "no READY=1 after the first pass"
poll 5 answers /-/ready || fail "READY=1, but /-/ready does not say so"
stop "$DAEMON" || fail "SIGTERM does not end it"
grep -q STOPPING=1 "$WORK/messages" || fail "no STOPPING=1 at the end"
