# L2: four times as many half-open requests as places, or as descriptors, and a scrape is answered.
. "$(dirname "$0")/lib.sh"
need python3 prlimit

# hold PORT COUNT REQUEST PATH: opens COUNT connections, sends half a request on each, asks for PATH.
hold() {
  python3 - "$@" <<'PYTHON' || fail "see above"
import socket, sys, time
port, count, half, path = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4]
held = []
for _ in range(count):
    client = socket.create_connection(("127.0.0.1", port), timeout=30)
    try:
        client.sendall(half.encode())
    except OSError:
        pass
    held.append(client)
best = 30
for _ in range(5):
    begun = time.monotonic()
    client = socket.create_connection(("127.0.0.1", port), timeout=30)
    client.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
    answer = b""
    while piece := client.recv(65536):
        answer += piece
    assert answer.startswith(b"HTTP/1.1 200 "), answer[:100]
    best = min(best, time.monotonic() - begun)
print(f"{count} held, the quickest answer took {best * 1000:.1f} ms")
assert best < 1
PYTHON
}
half=$'GET / HTTP/1.1\r\nHost: a\r\nX: '

# Long deadlines: it is not they that make room.
start --target=self=pid:$$ --web.max-connections=32 --web.read-timeout=1h
hold "$PORT" 128 "$half" /metrics
stop "$DAEMON" || fail "it does not end"

# Descriptors run out before places do; the limit leaves the collection what it needs.
PREFIX=(prlimit --nofile=192:192)
start --target=self=pid:$$ --web.max-connections=512 --web.read-timeout=1h
grep -q 'fewer connections than --web.max-connections' "$LOG" || fail "the lower limit is not told"
hold "$PORT" 768 "$half" /metrics
scrape
expect "procvitals_target_up" "$(value procvitals_target_up target=self)" == 1

# The echo program knows no such limit: here it is the spare descriptor that helps.
PREFIX=()
echo_server firstByteTime=3600 headerTime=3600
prlimit --nofile=64:64 --pid "$ECHO"
hold "$ECHO_PORT" 256 "$half" /echo
before=$(awk '{ print $14 + $15 }' "/proc/$ECHO/stat")
sleep 1
expect "clock ticks in an idle second" "$(($(awk '{ print $14 + $15 }' "/proc/$ECHO/stat") - before))" "<" 50
