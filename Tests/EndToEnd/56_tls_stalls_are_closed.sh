# L1: a TLS port closes whoever does not come to the end of the handshake, and serves the others.
. "$(dirname "$0")/lib.sh"
need openssl curl python3

mkdir "$WORK/tls"
bash "$HERE/certificates.sh" "$WORK/tls" || fail "no certificates"
echo_server "tls=$WORK/tls/server" handshakeTime=1 firstByteTime=1 idleTime=1 maxConnections=50
python3 - "$ECHO_PORT" "$WORK/tls/root.pem" <<'PYTHON' || fail "see above"
import socket, ssl, sys, time
port = int(sys.argv[1])
context = ssl.create_default_context(cafile=sys.argv[2])
i, o = ssl.MemoryBIO(), ssl.MemoryBIO()
try: context.wrap_bio(i, o, server_hostname="localhost").do_handshake()
except ssl.SSLWantReadError: hello = o.read()
def plain(): return socket.create_connection(("127.0.0.1", port), timeout=20)
def get():
    with context.wrap_socket(plain(), server_hostname="localhost") as s:
        s.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        return s.recv(12) == b"HTTP/1.1 200"
stalls = {"nothing": b"", "a byte": hello[:1], "half a ClientHello": hello[:len(hello) // 2],
          "a ClientHello": hello}
for name, start in stalls.items():
    s = plain()
    s.sendall(start)
    begun = time.monotonic()
    try:
        while s.recv(65536): pass
    except ConnectionError: pass
    except TimeoutError: sys.exit(f"{name}: not closed")
    if not get(): sys.exit(f"{name}: others are not served")
# Four times as many as there are places.
held = []
for n in range(200):
    s = plain()
    s.sendall(list(stalls.values())[n % 4])
    held.append(s)
begun = time.monotonic()
if not get(): sys.exit("no answer in a flood")
print("in a flood", time.monotonic() - begun, "s")
plainly = plain()
plainly.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
answer = plainly.recv(65536)
if not answer.startswith(b"HTTP/1.0 400 Bad Request\r\n"): sys.exit(answer)
# A client that goes away in the middle of an answer ends nobody.
for n in range(20):
    s = context.wrap_socket(plain(), server_hostname="localhost")
    s.sendall(b"GET /bytes?n=10000000 HTTP/1.1\r\nHost: a\r\n\r\n")
    s.recv(1000)
    s.close()
if not get(): sys.exit("no answer after clients went away")
PYTHON
closed() { curl -sk -m 5 "https://127.0.0.1:$ECHO_PORT/counts" | grep -qx 'open 1'; }
poll 10 closed || fail "connections are left: $(curl -sk "https://127.0.0.1:$ECHO_PORT/counts")"
# What hangs in its handshake takes memory, but not that of all who may hang there.
stop "$ECHO" || fail "it does not end"
echo_server "tls=$WORK/tls/server" handshakeTime=3600
python3 - "$ECHO_PORT" "$WORK/tls/root.pem" "$ECHO" <<'PYTHON' || fail "see above"
import socket, ssl, sys, time
port, pid = int(sys.argv[1]), sys.argv[3]
context = ssl.create_default_context(cafile=sys.argv[2])
def get():
    begun = time.monotonic()
    with context.wrap_socket(socket.create_connection(("127.0.0.1", port), timeout=30),
                             server_hostname="localhost") as s:
        s.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        if s.recv(12) != b"HTTP/1.1 200": sys.exit("no answer")
    return time.monotonic() - begun
def anonymous():
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("RssAnon"))
# Seven eighths of the largest ClientHello that OpenSSL waits for.
first = b"\x01\x02\x00\x00\x03\x03" + bytes((1 << 14) - 6)
hello = b"".join(b"\x16\x03\x01\x40\x00" + part for part in [first] + [bytes(1 << 14)] * 6)
get()
before, held = anonymous(), []
for _ in range(512):
    held.append(socket.create_connection(("127.0.0.1", port), timeout=30))
    held[-1].sendall(hello)
best = min(get() for _ in range(5))
taken = anonymous() - before
print(f"512 handshakes that hang take {taken} KiB; the quickest answer took {best * 1000:.0f} ms")
if taken > 24 << 10: sys.exit("that is too much")
if best > 1: sys.exit("that is too long")
PYTHON
libssl=$(awk '/libssl/ { print $6; exit }' "/proc/$ECHO/maps")
[ -n "$libssl" ] || fail "OpenSSL is not where the checks below look for it"
stop "$ECHO" || fail "it does not end"

# Who does not ask for TLS does not pay for it.
echo_server
! grep -qE 'lib(ssl|crypto)' "/proc/$ECHO/maps" || fail "OpenSSL is loaded without TLS"

# Where the library is missing, that is said.
need_root
unshare --mount bash -c 'mount --bind /dev/null "$1" && exec "$2" 127.0.0.1:0 tls="$3"' - \
  "$libssl" "${PROCVITALS%/*}/EchoServer" "$WORK/tls/server" > "$WORK/out" 2>&1
[ $? != 0 ] && grep -q "install Debian's package libssl3" "$WORK/out" ||
  fail "without libssl.so.3 it says: $(cat "$WORK/out")"
