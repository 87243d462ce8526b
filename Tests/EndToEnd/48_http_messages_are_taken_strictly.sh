# Messages, framing, responses and connections: every H number on the echo program and the daemon.
. "$(dirname "$0")/lib.sh"
need python3

echo_server headerTime=0.5 bodyTime=0.5
start --target=self=pid:$$
python3 "$HERE/http_messages.py" "$ECHO_PORT" "$ECHO" "$PORT" "$DAEMON" || fail "see above"
