# L2: four times as many half-open requests as places, or as descriptors, and a scrape is answered.
# L3: an idle connection costs less than 4 KiB, and what thousands cost is given back.
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
stop "$ECHO" || fail "it does not end"

echo_server maxConnections=3000
python3 - "$ECHO_PORT" "$ECHO" <<'PYTHON' || fail "see above"
import resource, socket, sys, time
port, pid = int(sys.argv[1]), sys.argv[2]
resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)

def anonymous():
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("RssAnon"))

def ask(client):
    client.sendall(b"GET /9 HTTP/1.1\r\nHost: a\r\n\r\n")
    data = b""
    while not data.endswith(b"x" * 9):
        data += client.recv(4096)

before, held = anonymous(), []
for _ in range(2000):
    held.append(socket.create_connection(("127.0.0.1", port), timeout=30))
    ask(held[-1])
cost = (anonymous() - before) / len(held)
for client in held:
    client.close()
end = time.monotonic() + 30
while (left := anonymous() - before) > 1000 * cost and left > 1 << 18 and time.monotonic() < end:
    time.sleep(0.05)
print(f"{cost:.0f} bytes per idle connection, {left >> 10} KiB left afterwards")
assert cost < 4096 and (left < 1000 * cost or left <= 1 << 18)
PYTHON
