# Oversized requests get their status and the connection ends; the next client is served.
. "$(dirname "$0")/lib.sh"
need python3

start --target=self=pid:$$
# status BYTES...: sends a request made by the Python expression, prints the status line's number.
status() {
  python3 - "$PORT" "$1" <<'PYTHON'
import socket, sys
with socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=30) as client:
    try:
        client.sendall(eval(sys.argv[2]))
    except (BrokenPipeError, ConnectionResetError):
        pass
    answer = b""
    while True:
        piece = client.recv(65536)
        if not piece:
            break
        answer += piece
    print(answer.split(b"\r\n")[0].split(b" ")[1].decode(), answer.count(b"HTTP/1.1 "))
PYTHON
}
wants() {
  local got
  got=$(status "$2") || fail "no answer to $1"
  [ "$got" = "$3 1" ] || fail "$1: expected status $3 and one answer, got '$got'"
}

wants "a request line of 8000 octets" \
  'b"GET /metrics?" + b"a" * 7970 + b" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"' 200
wants "a request line of 9 KiB" 'b"GET /" + b"a" * 9216 + b" HTTP/1.1\r\nHost: a\r\n\r\n"' 414
wants "a field of 9 KiB" 'b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 9216 + b"\r\n\r\n"' 431
wants "101 fields" 'b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: a\r\n" * 101 + b"\r\n"' 431
wants "33 KiB of fields" \
  'b"GET / HTTP/1.1\r\nHost: a\r\n" + (b"X: " + b"a" * 4000 + b"\r\n") * 9 + b"\r\n"' 431
wants "fields without end" 'b"GET / HTTP/1.1\r\n" + (b"X: " + b"a" * 4000 + b"\r\n") * 500' 431
wants "a body of 1 MiB" \
  'b"POST /metrics HTTP/1.1\r\nHost: a\r\nContent-Length: 1048576\r\n\r\n" + b"a" * 1048576' 413
answers /metrics || fail "it does not serve after oversized requests"
