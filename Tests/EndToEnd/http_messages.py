"""Drives the echo program and the daemon with raw sockets through the H numbers.

    http_messages.py ECHO_PORT ECHO_PID DAEMON_PORT DAEMON_PID [SEED]

Every row is sent in one piece and in random pieces. The echo program runs with headerTime and
bodyTime of half a second.
"""
import email.utils
import random
import socket
import sys

ECHO, DAEMON = int(sys.argv[1]), int(sys.argv[3])
PIDS = {ECHO: int(sys.argv[2]), DAEMON: int(sys.argv[4])}
PATHS = {ECHO: b"/echo", DAEMON: b"/-/healthy"}
SEED = int(sys.argv[5]) if len(sys.argv) > 5 else random.randrange(1 << 32)
RANDOM = random.Random(SEED)
HOST = b"Host: a\r\n"
HIDDEN = b"GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n"
failures = []


def get(rest=b"", line=b"GET @ HTTP/1.1", host=HOST):
    return line + b"\r\n" + host + rest + b"\r\n"


def post(fields, body=b""):
    return get(fields, b"POST @ HTTP/1.1") + body


def chunked(body):
    return post(b"Transfer-Encoding: chunked\r\n", body)


def target(text, method=b"GET"):
    return get(line=method + b" " + text + b" HTTP/1.1")


# Number and claim, bytes (@ is a path that exists), status codes in order, the echo program's if
# they differ. 2xx to a POST is 405 from the daemon.
ROWS = [
    ("H1 good", get(), [200]),
    ("H1 two spaces", get(line=b"GET  @ HTTP/1.1"), [400]),
    ("H1 trailing space", get(line=b"GET @ HTTP/1.1 "), [400]),
    ("H1 tab", get(line=b"GET\t@ HTTP/1.1"), [400]),
    ("H1 leading space", get(line=b" GET @ HTTP/1.1"), [400]),
    ("H2 empty lines first", b"\r\n\r\n" + get(), [200]),
    ("H2 too many of them", b"\r\n" * 3 + get(), [400]),
    ("H3 bare LF", b"GET @ HTTP/1.1\nHost: a\n\n", [400]),
    ("H3 bare CR", get(b"X: a\rb\r\n"), [400]),
    ("H4 1.0", b"GET @ HTTP/1.0\r\n\r\n", [200]),
    ("H4 1.7", get(line=b"GET @ HTTP/1.7"), [200]),
    ("H4 2.0", get(line=b"GET @ HTTP/2.0"), [505]),
    ("H4 9.9", get(line=b"GET @ HTTP/9.9"), [505]),
    ("H4 01.1", get(line=b"GET @ HTTP/01.1"), [400]),
    ("H4 http", get(line=b"GET @ http/1.1"), [400]),
    ("H4 0.9", b"GET @\r\n", [400]),
    ("H4 h2 preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", [505]),
    ("H5 unknown method", get(line=b"FOO @ HTTP/1.1"), [501]),
    ("H5 lower case", get(line=b"get @ HTTP/1.1"), [501]),
    ("H5 long method", get(line=b"A" * 33 + b" @ HTTP/1.1"), [400]),
    ("H5 DELETE", get(line=b"DELETE @ HTTP/1.1"), [405], [200]),
    ("H6 absolute form", get(line=b"GET http://b@ HTTP/1.1"), [200]),
    ("H6 * with GET", target(b"*"), [400]),
    ("H6 authority form", target(b"a:80"), [400]),
    ("H6 CONNECT", target(b"a:80", b"CONNECT"), [501]),
    ("H6 fragment", target(b"/#a"), [400]),
    ("H6 NUL", target(b"/\0"), [400]),
    ("H6 encoded NUL", target(b"/%00"), [400]),
    ("H6 overlong", target(b"/%C0%AF"), [400]),
    ("H6 bad percent", target(b"/%zz"), [400]),
    ("H6 above ASCII", target(b"/\xc3\xa9"), [400]),
    ("H6 backslash", target(b"/a\\b"), [400]),
    ("H6 dot segments", get(line=b"GET /x/..@ HTTP/1.1"), [200]),
    ("H6 unknown path", target(b"/nothing"), [404]),
    ("H7 missing", get(host=b""), [400]),
    ("H7 twice", get(b"Host: a\r\n"), [400]),
    ("H7 user", get(host=b"Host: u@a\r\n"), [400]),
    ("H7 list", get(host=b"Host: a,b\r\n"), [400]),
    ("H7 empty", get(host=b"Host:\r\n"), [400]),
    ("H7 bad port", get(host=b"Host: a:65536\r\n"), [400]),
    ("H8 space before the colon", get(b"X : a\r\n"), [400]),
    ("H8 folded", get(b"X: a\r\n b\r\n"), [400]),
    ("H8 no name", get(b": a\r\n"), [400]),
    ("H8 no colon", get(b"X\r\n"), [400]),
    ("H8 NUL", get(b"X: \0\r\n"), [400]),
    ("H8 DEL", get(b"X: \x7f\r\n"), [400]),
    ("H8 obs-text", get(b"X: \xff\t \r\n"), [200]),
    ("H8 blank first", get(host=b" Host: a\r\n"), [400]),
    ("H9 body", post(b"Content-Length: 5\r\n", b"hello"), [405], [200]),
    ("H9 plus", post(b"Content-Length: +5\r\n", b"hello"), [400]),
    ("H9 leading zero", post(b"Content-Length: 05\r\n", b"hello"), [400]),
    ("H9 empty", post(b"Content-Length:\r\n"), [400]),
    ("H9 twice", post(b"Content-Length: 5\r\nContent-Length: 5\r\n", b"hello"), [400]),
    ("H9 list", post(b"Content-Length: 5, 5\r\n", b"hello"), [400]),
    ("H9 2^63", post(b"Content-Length: 9223372036854775808\r\n"), [400]),
    ("H9 framing before routing", b"GET /nothing HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n",
     [400]),
    ("H10 with a length", post(b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
                               b"0\r\n\r\n"), [400]),
    ("H10 twice", post(b"Transfer-Encoding: chunked\r\n" * 2, b"0\r\n\r\n"), [400]),
    ("H10 1.0", b"POST @ HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", [400]),
    ("H10 not last", post(b"Transfer-Encoding: chunked, gzip\r\n", b"0\r\n\r\n"), [400]),
    ("H10 unknown", post(b"Transfer-Encoding: gzip, chunked\r\n", b"0\r\n\r\n"), [501]),
    ("H10 vertical tab", post(b"Transfer-Encoding: \x0bchunked\r\n", b"0\r\n\r\n"), [400]),
    ("H11 chunks", chunked(b"3\r\nhel\r\n2;a=\"b\"\r\nlo\r\n0\r\nX: y\r\n\r\n"), [405], [200]),
    ("H11 0x", chunked(b"0x5\r\nhello\r\n0\r\n\r\n"), [400]),
    ("H11 space", chunked(b"5 \r\nhello\r\n0\r\n\r\n"), [400]),
    ("H11 bare LF", chunked(b"5\nhello\r\n0\r\n\r\n"), [400]),
    ("H11 too long", chunked(b"5\r\nhelloo\r\n0\r\n\r\n"), [400]),
    ("H11 size too large", chunked(b"80000001\r\n"), [400]),
    ("H11 long extensions", chunked(b"5;" + b"a" * 4096 + b"\r\nhello\r\n0\r\n\r\n"), [400]),
    ("H11 bad trailer", chunked(b"0\r\nX : y\r\n\r\n"), [400]),
    ("H11 framing before routing",
     b"POST /nothing HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", [400]),
    ("H12 GET with a body", get(b"Content-Length: %d\r\n" % len(HIDDEN)) + HIDDEN + get(),
     [200, 200]),
    ("H13 too large", post(b"Content-Length: 65537\r\n"), [413]),
    ("H13 largest", post(b"Content-Length: 65536\r\n", b"x" * 65536), [405], [200]),
    ("H13 too large in chunks", chunked(b"10000\r\n" + b"x" * 65536 + b"\r\n1\r\nx\r\n0\r\n\r\n"),
     [413]),
    ("H14 target of 8000", target(b"/" + b"a" * 7999), [404]),
    ("H14 long line", target(b"/" + b"a" * 9000), [414]),
    ("H14 long field", get(b"X: " + b"a" * 9000 + b"\r\n"), [431]),
    ("H14 large section", get((b"X: " + b"a" * 8000 + b"\r\n") * 5), [431]),
    ("H14 many fields", get(b"X: y\r\n" * 101), [431]),
    ("H15 other expectation", post(b"Content-Length: 2\r\nExpect: x\r\n", b"ok"), [417]),
    ("H15 1.0", b"POST @ HTTP/1.0\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\nok",
     [405], [200]),
    ("H15 413 decided", post(b"Content-Length: 99999\r\nExpect: 100-continue\r\n"), [413]),
    ("H16 upgrade", get(b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
                        b"HTTP2-Settings: AAM\r\n"), [200]),
    ("H17 range", get(b"Range: bytes=0-0\r\n"), [200]),
    ("H22 TRACE", target(b"/", b"TRACE"), [501]),
    ("H22 OPTIONS *", target(b"*", b"OPTIONS"), [204]),
    ("H22 OPTIONS", get(line=b"OPTIONS @ HTTP/1.1"), [204], [200]),
    ("H23 pipeline", get() * 3, [200] * 3),
    ("H23 nothing after close", get(b"Connection: close\r\n") + get(), [200]),
    ("H24 cut off", get()[:-2], [400]),
    ("H24 cut off in the body", post(b"Content-Length: 5\r\n", b"hel"), [400]),
    ("H27 behind an error", get(b"X : a\r\n") + HIDDEN, [400]),
    ("H27 in a sized body", post(b"Content-Length: %d\r\n" % len(HIDDEN), HIDDEN), [405], [200]),
    ("H27 in a chunk", chunked(b"%x\r\n%b\r\n0\r\n\r\n" % (len(HIDDEN), HIDDEN)), [405], [200]),
    ("H27 in a trailer", chunked(b"0\r\n" + HIDDEN), [400]),
    ("H27 CL.TE", post(b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
                       b"0\r\n\r\n" + HIDDEN), [400]),
    ("H27 TE.CL", post(b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
                       b"5c\r\n" + HIDDEN + b"\r\n0\r\n\r\n"), [400]),
    ("H27 behind 413", post(b"Content-Length: 99999\r\n", HIDDEN), [413]),
    ("H27 behind 501", get(line=b"FOO @ HTTP/1.1") + HIDDEN, [501]),
    ("H27 behind 505", get(line=b"GET @ HTTP/3.0") + HIDDEN, [505]),
    ("H27 behind a refused expectation",
     post(b"Content-Length: %d\r\nExpect: x\r\n" % len(HIDDEN), HIDDEN), [417]),
    ("H27 in a folded line", get(b"X: y\r\n GET /hidden HTTP/1.1\r\n"), [400]),
    ("H27 in a target", get(line=b"GET @?%0d%0a%0d%0aGET%20/hidden HTTP/1.1"), [200]),
]


class Client:
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.bytes, self.reset = b"", False
        self.path = PATHS[port]

    def send(self, data, cuts=()):
        data = data.replace(b"@", self.path) if b"u@a" not in data else data
        start = 0
        for end in [*cuts, len(data)]:
            try:
                self.socket.sendall(data[start:end])
            except (BrokenPipeError, ConnectionResetError):
                return self  # refused already; the answer is there all the same
            start = end
        return self

    def more(self):
        try:
            piece = self.socket.recv(1 << 16)
        except ConnectionResetError:
            self.reset, piece = True, b""
        self.bytes += piece
        return bool(piece)

    def answer(self, method=b"GET"):
        """One answer, None at the end; complains about what H20 forbids."""
        while b"\r\n\r\n" not in self.bytes:
            if not self.more():
                return None
        head, self.bytes = self.bytes.split(b"\r\n\r\n", 1)
        first, *lines = head.decode("latin-1").split("\r\n")
        status = int(first.split(" ")[1])
        fields = [tuple(part.strip() for part in line.split(":", 1)) for line in lines]
        named = {name.lower(): value for name, value in fields}
        assert first.startswith("HTTP/1.1 "), first
        assert len(named) == len(fields), f"H20 a field twice: {fields}"
        if status == 100:
            assert not fields
            return 100, named, b""
        assert "transfer-encoding" not in named, "H20 chunked"
        assert email.utils.parsedate_to_datetime(named["date"]), "H20 Date"
        assert named["date"].endswith(" GMT")
        assert ("content-length" in named) != (status in (204, 304)), f"H20 length of {status}"
        length = int(named.get("content-length", 0))
        assert ("content-type" in named) == (length > 0), f"H20 type of {status}"
        if status >= 400 and status not in (404, 405):
            assert named.get("connection") == "close", f"H23 {status} without close"
        if status == 405:
            assert "allow" in named, "H22 405 without Allow"
        if method == b"HEAD":
            return status, named, b""
        while len(self.bytes) < length:
            assert self.more(), f"H20 {len(self.bytes)} of {length} bytes"
        body, self.bytes = self.bytes[:length], self.bytes[length:]
        return status, named, body

    def rest(self):
        """The status codes of all answers to the end of the connection."""
        codes = []
        while (answer := self.answer()) is not None:
            codes.append(answer[0])
        assert not self.bytes, f"half an answer: {self.bytes[:100]}"
        assert not self.reset, "H14 reset"
        return codes

    def finish(self):
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # gone already
        return self


def check(name, port, body):
    program = "echo" if port == ECHO else "daemon"
    try:
        body()
    except (AssertionError, OSError, KeyError, TypeError, ValueError) as error:
        failures.append(f"{name} ({program}): {type(error).__name__}: {error}")


def run_row(name, port, data, wanted, cuts):
    def body():
        codes = Client(port).send(data, cuts).finish().rest()
        assert codes == wanted, f"{codes} instead of {wanted}, cut at {cuts}"

    check(name, port, body)


def rows():
    for name, data, wanted, *echo in ROWS:
        for port in (ECHO, DAEMON):
            codes = echo[0] if echo and port == ECHO else wanted
            run_row(name, port, data, codes, [])
            for _ in range(2):
                count = RANDOM.randint(1, 8)
                run_row(name, port, data, codes,
                        sorted(RANDOM.randrange(len(data)) for _ in range(count)))
            if len(data) < 200:
                run_row(name, port, data, codes, list(range(1, len(data))))


def echoed():
    """What the echo program understood."""
    def last(data):
        client = Client(ECHO).send(data).finish()
        return client.answer()[2]

    assert last(chunked(b"3\r\nhel\r\n2\r\nlo\r\n0\r\nX: y\r\n\r\n")).endswith(b"\r\n\r\nhello")
    body = last(post(b"Content-Length: 5\r\nX-Y:\t a b \r\n", b"hello"))
    assert body == (b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nX-Y: a b\r\n\r\n"
                    b"hello"), body
    assert last(target(b"/echo?a=%20b")).startswith(b"GET /echo?a=%20b HTTP/1.1\r\n")


def head_is_get_without_body(port):
    for path in (b"@", b"/nothing") + ((b"/metrics", b"/") if port == DAEMON else ()):
        client = Client(port)
        _, first, _ = client.send(get(line=b"GET %b HTTP/1.1" % path)).answer()
        _, second, _ = client.send(get(line=b"HEAD %b HTTP/1.1" % path)).answer(b"HEAD")
        varying = {"date"} | ({"content-length"} if path == b"/metrics" or port == ECHO else set())
        for key in first.keys() - varying:
            assert first[key] == second[key], f"{path} {key}"
        assert first.keys() == second.keys(), path
        assert client.send(get()).answer()[0] == 200


def options(port):
    client = Client(port)
    for line in [b"OPTIONS * HTTP/1.1"] + ([b"OPTIONS /metrics HTTP/1.1"] if port == DAEMON else []):
        status, fields, _ = client.send(get(line=line)).answer()
        assert (status, fields["allow"]) == (204, "GET, HEAD, OPTIONS"), (status, fields)


def persistence(port):
    client = Client(port)
    for _ in range(3):
        _, fields, _ = client.send(get()).answer()
        assert "connection" not in fields
    for _ in range(2):
        _, fields, _ = client.send(b"GET @ HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").answer()
        assert fields["connection"] == "keep-alive"
    _, fields, _ = client.send(b"GET @ HTTP/1.0\r\n\r\n").answer()
    assert fields["connection"] == "close"
    assert client.rest() == []


def expectations(port):
    wants = post(b"Content-Length: 2\r\nExpect: 100-continue\r\n")
    client = Client(port).send(wants)
    if port == ECHO:
        assert client.answer()[0] == 100
        assert client.send(b"ok").answer()[2].endswith(b"\r\n\r\nok")
        client = Client(port).send(wants.replace(b"@", b"/refused"))
    # Decided without the body: no 100, the connection ends, and the body is no request.
    status, fields, _ = client.answer()
    assert (status, fields["connection"]) == (405, "close"), (status, fields)
    assert client.send(HIDDEN).finish().rest() == []


def half_close(port):
    assert Client(port).send(get() + get()).finish().rest() == [200, 200]
    if port == ECHO:
        assert Client(port).send(get(line=b"GET /later?ms=100 HTTP/1.1")).finish().rest() == [200]
    else:
        assert Client(port).send(get(line=b"GET /metrics HTTP/1.1")).finish().rest() == [200]


def answers_arrive(port):
    """H14: an error's answer is not destroyed by a reset although the client goes on sending."""
    for name, data, status in [
        ("413", post(b"Content-Length: 1000000\r\n", b"x" * 1_000_000), 413),
        ("431", get(b"X: y\r\n" * 100_000), 431),
        ("414", target(b"/" + b"a" * 500_000), 414),
        ("400", get(b"X : y\r\n") + b"x" * 300_000, 400),
    ]:
        codes = Client(port).send(data).finish().rest()
        assert codes == [status], f"{name}: {codes}"


def timeouts():
    for part in [b"G", b"GET @ HT", get()[:-2], post(b"Content-Length: 5\r\n", b"hel"),
                 chunked(b"5\r\nhe")]:
        client = Client(ECHO).send(part)
        assert client.rest() == [408], part


def pipelining_is_bounded(port):
    """What a client that does not read has sent stays in the kernel."""
    def resident():
        with open(f"/proc/{PIDS[port]}/status", encoding="ascii") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))

    Client(port).send(get()).answer()
    before, clients = resident(), []
    for _ in range(20):
        client = Client(port)
        client.socket.settimeout(0.2)
        try:
            client.send(get() * 100_000)
        except TimeoutError:
            pass
        clients.append(client)
    grown = resident() - before
    assert grown < 8192, f"{grown} KiB more for 20 clients"
    assert Client(port).send(get()).answer()[0] == 200


def pages():
    """H25 on HTML, and E8: the page is complete before its first byte."""
    _, fields, _ = Client(DAEMON).send(target(b"/")).answer()
    policy = fields["content-security-policy"]
    for part in ("default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"):
        assert part in policy, policy
    assert fields["x-content-type-options"] == "nosniff"
    assert fields["referrer-policy"] == "no-referrer"
    status, fields, body = Client(DAEMON).send(target(b"/metrics")).answer()
    assert status == 200 and int(fields["content-length"]) == len(body) > 0


print("seed", SEED)
rows()
check("H9 H11 what is echoed", ECHO, echoed)
check("H23 L1 408", ECHO, timeouts)
check("H25 E8 pages", DAEMON, pages)
for number in (ECHO, DAEMON):
    for name, body in [
        ("H21 HEAD", head_is_get_without_body), ("H22 OPTIONS", options),
        ("H23 persistence", persistence), ("H15 Expect", expectations),
        ("H24 half-close", half_close), ("H14 answers arrive", answers_arrive),
        ("H23 pipelining", pipelining_is_bounded),
    ]:
        check(name, number, lambda body=body, number=number: body(number))
for failure in failures:
    print(failure)
print(f"{len(ROWS)} rows, {len(failures)} failures")
sys.exit(bool(failures))
