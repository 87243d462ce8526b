# W2: with --web.systemd-socket it listens on what it was handed, and on nothing else.
. "$(dirname "$0")/lib.sh"
need systemd-socket-activate curl

PORT=$(free_port)
other=$(free_port)
own=$(free_port)
systemd-socket-activate -l "127.0.0.1:$PORT" -l "127.0.0.1:$other" -l "$WORK/socket" \
  --fdname=a:b:c "$PROCVITALS" --web.systemd-socket --web.listen-address="127.0.0.1:$own" \
  --target=self=pid:$$ > /dev/null 2>> "$LOG" < /dev/null &
DAEMON=$!
track $DAEMON
URL=http://127.0.0.1:$PORT
poll 20 answers /-/ready || fail "not ready"
curl -sf -m 5 "http://127.0.0.1:$other/metrics" > /dev/null || fail "no answer at the second socket"
curl -sf -m 5 --unix-socket "$WORK/socket" http://here/metrics > /dev/null ||
  fail "no answer at the third socket"
! curl -sf -m 5 "http://127.0.0.1:$own/metrics" > /dev/null || fail "it listens on its own address"
stop "$DAEMON" || fail "it does not end"

# refused ENVIRONMENT...: it does not start with these variables.
refused() {
  env "$@" timeout 20 "$PROCVITALS" --web.systemd-socket > "$WORK/out" 2>&1
  status=$?
  [ $status = 1 ] || fail "with $* it ended with $status: $(cat "$WORK/out")"
}
refused
grep -q "no socket activation file descriptors found" "$WORK/out" ||
  fail "without sockets it says: $(cat "$WORK/out")"
refused LISTEN_PID=1 LISTEN_FDS=1
grep -q "no socket activation file descriptors found" "$WORK/out" ||
  fail "with sockets of another process it says: $(cat "$WORK/out")"
# What is handed over has to be a socket that listens.
bash -c 'export LISTEN_PID=$$ LISTEN_FDS=1; exec "$0" --web.systemd-socket 3< /dev/null' \
  "$PROCVITALS" > "$WORK/out" 2>&1
[ $? = 1 ] || fail "with a file instead of a socket it starts"
grep -q "web.systemd-socket: .*ListenStream" "$WORK/out" ||
  fail "with a file instead of a socket it says: $(cat "$WORK/out")"
