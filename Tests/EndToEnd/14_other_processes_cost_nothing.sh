# What a scrape reads does not grow with processes that are not targets, also when a target is
# chosen by name. Counted are the daemon's read calls, not time.
. "$(dirname "$0")/lib.sh"

vitals
start --target=app=pid:$VITALS --target=named=name:vitals-nobody
# calls: the fewest read calls that one of ten scrapes took.
calls() {
  local before after fewest=
  for _ in $(seq 10); do
    before=$(awk '/^syscr/ { print $2 }' /proc/"$DAEMON"/io)
    curl -sf -o /dev/null "$URL/metrics" || fail "no page"
    after=$(awk '/^syscr/ { print $2 }' /proc/"$DAEMON"/io)
    [ -n "$fewest" ] && [ $((after - before)) -ge "$fewest" ] || fewest=$((after - before))
  done
  echo "$fewest"
}

few=$(calls)
tell fork 500
# Young processes are looked at more often, as they may yet become a target: not at once, then.
cheap() {
  many=$(calls)
  echo "read calls per scrape: $few, with 500 more processes $many" >&2
  [ "$many" -lt $((few + 100)) ]
}
poll 60 cheap || fail "read calls with 500 more processes: expected < $few + 100, got $(calls)"
