# inspect shows one process to a person: what it uses, how near it is to its limits, what cannot be
# read, and a Go program's runtime; --watch follows it until it ends, and no number leads to another one.
. "$(dirname "$0")/lib.sh"
. "$HERE/go.sh"
need_root
need python3 setpriv

# refused STATUS TEXT NUMBER: what is said of a number that is no process.
refused() {
  local said status
  said=$("$PROCVITALS" inspect "$3" 2>&1)
  status=$?
  expect "status for $3" $status == "$1"
  [[ $said == *"$2"* ]] || fail "$3: expected \"$2\" in: $said"
}
refused 2 "expected its number" nginx
refused 2 "expected its number" 0
refused 2 "expected its number" 4294967297
refused 2 "" -1
refused 1 "no process has the number" 4194304
"$PROCVITALS" inspect 1 --path.procfs=/nowhere 2> /dev/null
expect "status without /proc" $? == 2

# says PATTERN...: each is in $WORK/report.
says() {
  local pattern
  for pattern in "$@"; do
    grep -qE -- "$pattern" "$WORK/report" || fail "expected $pattern in: $(cat "$WORK/report")"
  done
}
inspect() { "$PROCVITALS" inspect "$@" > "$WORK/report" || fail "inspect $* ended with $?"; }

# A program with a name that would steer the terminal.
cat > "$WORK/evil.py" <<'PYTHON'
import ctypes, sys, threading
ctypes.CDLL(None).prctl(15, b"\x1b]0;x\nZ\xff", 0, 0, 0)
def other():
    open(sys.argv[1], "w").write(str(threading.get_native_id()))
    threading.Event().wait()
threading.Thread(target=other, daemon=True).start()
threading.Event().wait()
PYTHON
python3 "$WORK/evil.py" "$WORK/thread" $'\e[31m' &
evil=$!
track $evil
poll 10 test -s "$WORK/thread" || fail "the program has not started"
inspect $evil
says "^process $evil .u.1b.]0;x.u.a.Z" "command line .*u.1b..31m" "user .*root \(0\)" "state " \
  "CPU time " "resident " "descriptors .* of [0-9]+, [0-9]+ left" "threads +2$" "^limits$"
if LC_ALL=C grep -q $'\e' "$WORK/report"; then fail "an escape sequence: $(cat -v "$WORK/report")"; fi
if grep -q "^Go\|^not readable" "$WORK/report"; then fail "it is no Go program: $(cat "$WORK/report")"; fi
refused 1 "is a thread of process $evil" "$(cat "$WORK/thread")"
kthread=$(awk '$2 == "(kthreadd)" { print $1 }' /proc/2/stat 2> /dev/null)
if [ -n "$kthread" ]; then
  inspect "$kthread"
  says "thread of the kernel"
fi

# A program that has ended and was not waited for.
python3 -c 'import os, time
pid = os.fork()
if pid == 0: os._exit(0)
print(pid, flush=True)
time.sleep(1000)' > "$WORK/zombie" &
track $!
poll 10 test -s "$WORK/zombie" || fail "no zombie"
inspect "$(cat "$WORK/zombie")"
says "has ended; its parent has not waited for it"

# A Go program says what it says of itself.
go_subject
subject app
do_all app "hold 4" "gc 3"
inspect $SUBJECT
says "^Go runtime$" "version +go1" "goroutines +[0-9]" "^Go heap$" "efficiency .*%" "fragmentation .*%" \
  "^Go stacks and other memory$" "^Go garbage collection$" "GOGC +100" "next at a heap of" \
  "cycles +[2-9]" "^Go pauses of the last [2-9] cycles$" "p99 " "^Go tuning$"

# Without rights it says what is missing, and what would allow it.
as_nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all --bounding-set=-all)
"${as_nobody[@]}" "$PROCVITALS" inspect $SUBJECT > "$WORK/report" || fail "as nobody: it ended with $?"
says "^not readable$" "io +permission denied" "exe +permission denied.*Go program is not known" \
  "AmbientCapabilities=CAP_DAC_READ_SEARCH CAP_SYS_PTRACE"

# Elsewhere than on a terminal each look is a block; the end of the process is the end.
sleep 1000 &
napper=$!
track $napper
"$PROCVITALS" inspect $napper --watch > "$WORK/report" &
watcher=$!
track $watcher
two() { [ "$(grep -c "^process $napper sleep$" "$WORK/report")" -ge 2 ]; }
poll 30 two || fail "no second block: $(cat "$WORK/report")"
kill $napper
wait $watcher
expect "status at its end" $? == 0
says "^process $napper has ended" "^$" "^20[0-9-]+ [0-9:]+ UTC$" "% now"
if LC_ALL=C grep -q $'\e' "$WORK/report"; then fail "it steers what is no terminal"; fi
# Who reads no more ends it without a word.
"$PROCVITALS" inspect $$ --watch 2> "$WORK/errors" | head -n 1 > /dev/null
[ "${PIPESTATUS[0]}" = 0 ] && [ ! -s "$WORK/errors" ] || fail "a closed pipe: $(cat "$WORK/errors")"

# On a terminal it is replaced in place, at any size of the window, until Ctrl-C.
export TRANSCRIPT=$WORK/transcript
status=$(python3 "$HERE/terminal.py" 24 80 "$PROCVITALS" inspect $SUBJECT --watch <<'KEYS'
wait \x1b[H20
wait more lines: the window is too small
wait \x1b[?25h
size 12 60
wait \x1b[H20
wait \x1b[?25h
size 200 80
wait Go tuning
wait \x1b[?25h
key 3
KEYS
) || fail "on a terminal: $status"
expect "status after Ctrl-C" "$status" == 0
tail -c 200 "$TRANSCRIPT" | grep -q $'\e\[?25h' || fail "the cursor is not shown again"
