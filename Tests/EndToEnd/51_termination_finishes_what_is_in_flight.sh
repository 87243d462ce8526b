# L7: SIGTERM ends nothing that is being answered, closes what is idle, and the exit status is 0.
. "$(dirname "$0")/lib.sh"
need python3

echo_server stopTime=60
python3 - "$ECHO_PORT" "$ECHO" <<'PYTHON' || fail "see above"
import os, signal, socket, sys
port, pid = int(sys.argv[1]), int(sys.argv[2])

def connect(data=b""):
    client = socket.create_connection(("127.0.0.1", port), timeout=30)
    client.sendall(data)
    return client

def everything(client):
    data = bytearray()
    while piece := client.recv(1 << 20):
        data += piece
    return bytes(data)

idle = connect(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
idle.recv(65536)
later = connect(b"GET /later?ms=1000 HTTP/1.1\r\nHost: a\r\n\r\n")
half = connect(b"GET / HTTP/1.1\r\nHost: ")
large = connect(b"GET /10000000 HTTP/1.1\r\nHost: a\r\n\r\n")
# All of them are known to the program once a later one has been answered.
connect(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").recv(65536)
os.kill(pid, signal.SIGTERM)
assert everything(idle) == b"", "an idle connection is answered"
half.sendall(b"a\r\n\r\n")
answer = everything(half)
assert answer.startswith(b"HTTP/1.1 200 ") and b"\r\nConnection: close\r\n" in answer, answer
assert len(everything(large)) > 10_000_000, "a large answer is cut off"
answer = everything(later)
assert answer.startswith(b"HTTP/1.1 200 ") and answer.endswith(b"later\n"), answer
try:
    connect()
    sys.exit("it still accepts")
except ConnectionRefusedError:
    pass
PYTHON
wait "$ECHO" || fail "the echo program ended with status $?"

# Clients that never complete a request, or never begin one, delay the end by a moment, not by the
# time for answers.
echo_server stopTime=0.2 lingerTime=0.2
exec 6<>/dev/tcp/127.0.0.1/"$ECHO_PORT" 7<>/dev/tcp/127.0.0.1/"$ECHO_PORT"
printf 'GET / HTTP/1.1\r\nHost: ' >&6
curl -sf -o /dev/null "http://127.0.0.1:$ECHO_PORT/"
kill "$ECHO"
grep -q '^HTTP/1.1 503 ' <&6 || fail "half a request is not answered at the end"
[ -z "$(cat <&7)" ] || fail "a silent connection is answered"
wait "$ECHO" || fail "the echo program ended with status $?"
exec 6>&- 7>&-

# The daemon: a scrape that has arrived is answered, and the status is 0.
start --target=self=pid:$$
exec 5<>/dev/tcp/127.0.0.1/"$PORT"
printf 'GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n' >&5
kill "$DAEMON"
grep -q 'procvitals_target_up' <&5 || fail "the scrape that came before SIGTERM is not answered"
exec 5>&-
wait "$DAEMON" || fail "the daemon ended with status $?"
