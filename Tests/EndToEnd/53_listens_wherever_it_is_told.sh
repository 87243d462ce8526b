# W1, W3: every address that is given is served, or the start fails and names it.
. "$(dirname "$0")/lib.sh"
need curl python3

other=$(free_port)
six=$(free_port)
addresses=(--web.listen-address="localhost:$other" --web.listen-address="unix:$WORK/socket")
# A name that is left over is replaced.
python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$WORK/socket"
if [ -e /proc/net/if_inet6 ]; then addresses+=(--web.listen-address="[::1]:$six"); fi
start --target=self=pid:$$ "${addresses[@]}"
curl -sf -m 5 "http://127.0.0.1:$other/-/healthy" > /dev/null || fail "no answer at localhost"
curl -sf -m 5 --unix-socket "$WORK/socket" http://here/metrics > /dev/null ||
  fail "no answer at the socket in the file system"
if [ -e /proc/net/if_inet6 ]; then
  curl -sf -m 5 -g "http://[::1]:$six/-/healthy" > /dev/null || fail "no answer at [::1]"
  ! curl -sf -m 5 "http://127.0.0.1:$six/-/healthy" > /dev/null || fail "[::1] answers IPv4"
fi

# taken ADDRESS WORDS: a second daemon that is told to listen there does not start.
taken() {
  timeout 20 "$PROCVITALS" --web.listen-address="127.0.0.1:$(free_port)" \
    --web.listen-address="$1" > "$WORK/out" 2>&1
  status=$?
  [ $status = 1 ] || fail "with $1 it ended with $status: $(cat "$WORK/out")"
  grep -qF -- "--web.listen-address=$1: " "$WORK/out" && grep -qF "$2" "$WORK/out" ||
    fail "with $1 it says: $(cat "$WORK/out")"
}
taken "127.0.0.1:$PORT" "Address already in use"
taken ":$PORT" "Address already in use"
taken "unix:$WORK/socket" "Address already in use"
echo precious > "$WORK/file"
taken "unix:$WORK/file" "Address already in use"
[ "$(cat "$WORK/file")" = precious ] || fail "a file of another kind is gone"
taken 192.0.2.1:9656 "Cannot assign requested address"
taken "unix:$WORK/missing/socket" "No such file or directory"
[ -S "$WORK/socket" ] || fail "a second daemon has removed the socket of the first"

stop "$DAEMON" || fail "it does not end"
[ ! -e "$WORK/socket" ] || fail "the socket file stays behind"

if python3 -c 'import socket; socket.socket(socket.AF_VSOCK)' 2> /dev/null; then
  start --target=self=pid:$$ --web.listen-address=vsock://:"$other"
  taken vsock://:"$other" "Address already in use"
fi

# :PORT is both families.
"$PROCVITALS" --web.listen-address=":$other" > /dev/null 2>> "$LOG" &
track $!
poll 20 curl -sf -m 5 "http://127.0.0.1:$other/-/healthy" || fail ":$other does not answer IPv4"
if [ -e /proc/net/if_inet6 ]; then
  curl -sf -m 5 -g "http://[::1]:$other/-/healthy" > /dev/null || fail ":$other does not answer IPv6"
fi
