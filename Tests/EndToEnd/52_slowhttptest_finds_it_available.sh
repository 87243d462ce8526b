# slowhttptest in its four modes finds the service available throughout, and few connections left.
# SLOW_SECONDS: how long each mode lasts (make slow); the short run has short deadlines for that.
. "$(dirname "$0")/lib.sh"
need slowhttptest python3
seconds=${SLOW_SECONDS:-4}
connections=200
deadlines=(--web.read-timeout=1s --web.idle-timeout=2s --web.write-timeout=2s)
if [ -n "${SLOW_SECONDS:-}" ]; then
  connections=2000
  deadlines=()
  ulimit -n "$(ulimit -Hn)"
fi

start --target=self=pid:$$ --web.max-connections=64 "${deadlines[@]}"

# attack NAME OPTION...: one mode; judges what it has recorded of every second.
attack() {
  local name=$1
  shift
  (cd "$WORK" && slowhttptest "$@" -c $connections -r $((connections / 2)) -l "$seconds" -i 1 -p 3 \
    -u "$URL/metrics" -g -o "$name" > "$name.out" 2>&1 < /dev/null) || fail "$name: $(tail -3 "$WORK/$name.out")"
  python3 - "$name" "$WORK/$name.csv" <<'PYTHON' || fail "$name: see above"
import csv, sys
rows = [row for row in csv.DictReader(open(sys.argv[2], encoding="utf-8"))]
assert len(rows) >= 2, rows
rows = [{key.strip(): int(value) for key, value in row.items() if key and value.strip()} for row in rows]
down = [row["Seconds"] for row in rows if not row["Service Available"]]
most = max(row["Connected"] for row in rows)
print(f"{sys.argv[1]}: {len(rows)} looks, at most {most} connections, {rows[-1]['Connected']} at the end")
assert not down, f"not available at {down}"
PYTHON
}
attack headers -H -x 24 -t GET
attack body -B -x 10 -s 8192
attack range -R -a 10 -b 3000
attack read -X -k 5 -w 10 -y 20 -n 1 -z 32
few_sockets() { [ "$(find "/proc/$DAEMON/fd" -lname 'socket:*' | wc -l)" -le 12 ]; }
poll 30 few_sockets || fail "connections are left open after the attacks"
