# Random pages for an OpenTelemetry receiver, with any text and number, say to OpenTelemetry's own
# messages what was written; the seed is printed.
. "$(dirname "$0")/lib.sh"
need swiftc
python=$ROOT/.build/otlp/bin/python
[ -x "$python" ] || skip "there is no $python; make deps-test makes it"

cp "$HERE/random_pushes.swift" "$WORK/main.swift"
swiftc -wmo -package-name procvitals -swift-version 5 -lm -o "$WORK/pages" \
  "$ROOT"/Sources/Metrics/*.swift "$WORK/main.swift" > "$WORK/build" 2>&1 || fail "$(cat "$WORK/build")"
points=0
seed=$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')
for ((seed = ${SEED:-$seed}, last = seed + 50; seed < last; seed++)); do
  "$WORK/pages" "$seed" "$WORK/page" > "$WORK/written" || fail "seed $seed: no page"
  "$python" "$HERE/random_pushes.py" "$WORK/page" > "$WORK/read" 2>&1 ||
    fail "seed $seed: $(tail -n 3 "$WORK/read")"
  cmp -s "$WORK/written" "$WORK/read" ||
    fail "seed $seed: $(diff "$WORK/written" "$WORK/read" | cut -c -300 | head -n 4)"
  points=$((points + $(grep -c ^point "$WORK/read")))
done
expect "points up to seed $((last - 1))" $points ">" 300
