# L1: a connection that stalls, in whatever way, is closed by its deadline, and disturbs nobody.
. "$(dirname "$0")/lib.sh"
need python3

# The kernel's own memory for a client that reads nothing goes by the write deadline as well.
echo_server firstByteTime=1 headerTime=1 bodyTime=1 idleTime=1 writeTime=2 writeProgressTime=1
python3 "$HERE/stalls.py" "$ECHO_PORT" /echo /1000000 || fail "the echo program: see above"

start --target=self=pid:$$ --web.read-timeout=1s --web.idle-timeout=1s --web.write-timeout=2s
python3 "$HERE/stalls.py" "$PORT" /-/healthy /metrics || fail "the daemon: see above"
sockets=$(grep -c . <<< "$(find "/proc/$DAEMON/fd" -lname 'socket:*')")
[ "$sockets" -le 10 ] || fail "$sockets sockets are left open"
