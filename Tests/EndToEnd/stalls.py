"""Opens connections that stall in every way and waits until the server has closed them all.

    stalls.py PORT PATH LARGE_PATH

The server runs with deadlines of about a second. It must answer others meanwhile.
"""
import socket
import sys
import time

port, path, large = int(sys.argv[1]), sys.argv[2].encode(), sys.argv[3].encode()
LIMIT = 60  # far above the deadlines: it only keeps a failure from hanging
EACH = 10
head = b"GET " + path + b" HTTP/1.1\r\nHost: a\r\n"
body = b"POST " + path + b" HTTP/1.1\r\nHost: a\r\n"
hello = bytes.fromhex("16030100c8010000c40303") + bytes(32)

# What is sent at once, what is repeated, what the server may say before it closes.
KINDS = {
    "nothing": (b"", b"", {b""}),
    "empty lines": (b"\r\n", b"", {b""}),
    "half a request line": (head[:10], b"", {b"408"}),
    "half the header": (head + b"X: ", b"", {b"408"}),
    "a header that dribbles": (head + b"X: ", b"a", {b"408"}),
    "fields that dribble": (head, b"X: y\r\n", {b"408", b"431"}),
    "half a body": (body + b"Content-Length: 99\r\n\r\nabc", b"", {b"408"}),
    "a body that dribbles": (body + b"Content-Length: 60000\r\n\r\n", b"a", {b"408"}),
    "half a chunk": (body + b"Transfer-Encoding: chunked\r\n\r\n5\r\nab", b"", {b"408"}),
    "chunks that dribble": (body + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n", {b"408"}),
    "a trailer that dribbles":
        (body + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"X: y\r\n", {b"408", b"431"}),
    "a body after 100": (body + b"Content-Length: 9\r\nExpect: 100-continue\r\n\r\n", b"",
                         {b"100", b"405"}),
    "idle between requests": (head + b"\r\n", b"", {b"200"}),
    "half a TLS hello": (hello, b"", {b"400"}),
    "never reads": ((b"GET " + large + b" HTTP/1.1\r\nHost: a\r\n\r\n") * 100, b"", None),
}


def remote_ports():
    """Of the connections that the server's side still has, the kernel's own keeping included."""
    ports = set()
    with open("/proc/net/tcp", encoding="ascii") as table:
        for line in table.readlines()[1:]:
            _, local, remote, state, *_ = line.split()
            if int(local.split(":")[1], 16) == port and state not in ("06", "0A"):
                ports.add(int(remote.split(":")[1], 16))
    return ports


class Stall:
    def __init__(self, kind):
        self.kind = kind
        first, self.drip, self.allowed = KINDS[kind]
        self.socket = socket.socket()
        if self.allowed is None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.settimeout(LIMIT)
        self.socket.connect(("127.0.0.1", port))
        self.socket.sendall(first)
        self.socket.setblocking(False)
        self.bytes, self.closed = b"", False

    def look(self):
        """Sends a little more, and notices the end."""
        try:
            if self.drip:
                self.socket.send(self.drip)
            if self.allowed is None:
                # Reading would be progress, and the kernel's own deadline sends no reset.
                self.closed = self.socket.getsockname()[1] not in server_side
                return
            while piece := self.socket.recv(4096):
                self.bytes += piece
            self.closed = True
        except BlockingIOError:
            pass
        except (ConnectionResetError, BrokenPipeError):
            self.closed = True


def fresh():
    client = socket.create_connection(("127.0.0.1", port), timeout=LIMIT)
    client.sendall(head + b"Connection: close\r\n\r\n")
    data = b""
    while piece := client.recv(4096):
        data += piece
    assert data.startswith(b"HTTP/1.1 200 "), data[:100]


stalls = [Stall(kind) for kind in KINDS for _ in range(EACH)]
end = time.monotonic() + LIMIT
while waiting := [stall for stall in stalls if not stall.closed]:
    if time.monotonic() > end:
        sys.exit(f"not closed after {LIMIT} s: {sorted({stall.kind for stall in waiting})}")
    server_side = remote_ports()
    for stall in waiting:
        stall.look()
    fresh()
    time.sleep(0.05)
failures = set()
for stall in stalls:
    if stall.allowed is not None:
        status = stall.bytes.split(b" ")[1] if stall.bytes else b""
        # A client that goes on sending may find the connection gone before it reads the answer.
        if status not in stall.allowed and not (stall.drip and not stall.bytes):
            failures.add(f"{stall.kind}: {stall.bytes[:60]}")
print(f"{len(stalls)} connections, {len(KINDS)} kinds")
sys.exit("\n".join(sorted(failures)) or 0)
