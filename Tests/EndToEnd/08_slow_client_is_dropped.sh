# A client that dribbles its header is dropped; clients that only hold connections keep nobody out.
. "$(dirname "$0")/lib.sh"
need python3

start --target=self=pid:$$ --web.max-connections=64
python3 - "$PORT" <<'PYTHON' || fail "see above"
import socket, sys, time, urllib.request
port = int(sys.argv[1])
url = f"http://127.0.0.1:{port}/metrics"

def connect():
    client = socket.create_connection(("127.0.0.1", port), timeout=60)
    client.sendall(b"GET /metrics HTTP/1.1\r\nHost: a\r\nX-Slow: ")
    return client

# 1. One byte per half second is progress, but the header has an absolute deadline.
slow, begun = connect(), time.monotonic()
slow.settimeout(0.5)
while True:
    try:
        answer = slow.recv(4096)
        break
    except TimeoutError:
        try:
            slow.sendall(b"a")
        except OSError:
            answer = b""
            break
    except OSError:
        answer = b""
        break
    if time.monotonic() - begun > 60:
        sys.exit("a header that dribbles for 60 s is not dropped")
if answer and b" 408 " not in answer.split(b"\r\n")[0]:
    sys.exit(f"dropped with {answer[:60]!r} instead of 408")

# 2. Four times as many half-open requests as there are slots, and still a scrape gets through.
held = []
for _ in range(4 * 64):
    try:
        held.append(connect())
    except OSError:
        pass
for _ in range(5):
    page = urllib.request.urlopen(url, timeout=10).read()
    if b"procvitals_target_up" not in page:
        sys.exit("no page while half-open requests are held")

# 3. A client that asks and never reads.
for _ in range(20):
    client = socket.create_connection(("127.0.0.1", port), timeout=60)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
    try:
        client.sendall(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n" * 50)
    except OSError:
        pass
    held.append(client)
if b"procvitals_target_up" not in urllib.request.urlopen(url, timeout=10).read():
    sys.exit("no page while clients do not read theirs")
PYTHON
resident=$(awk '/^VmRSS/ { print $2 }' /proc/"$DAEMON"/status)
expect "resident KiB after 276 bad clients" "$resident" "<" 65536
