# Random pages for an OpenTelemetry receiver, with any text and number, say to OpenTelemetry's own
# messages what was written; the seed is printed.
. "$(dirname "$0")/lib.sh"
need swiftc
python=$ROOT/.build/otlp/bin/python
[ -x "$python" ] || skip "there is no $python; make deps-test makes it"

cp "$HERE/random_pushes.swift" "$WORK/main.swift"
swiftc -wmo -package-name procvitals -swift-version 5 -lm -o "$WORK/pages" \
  "$ROOT"/Sources/Metrics/*.swift "$WORK/main.swift" > "$WORK/build" 2>&1 || fail "$(cat "$WORK/build")"
seed=$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')
for ((seed = ${SEED:-$seed}, last = seed + 100; seed < last; seed++)); do
  "$WORK/pages" "$seed" "$WORK/$seed.page" > "$WORK/$seed.written" || fail "seed $seed: no page"
done
"$python" "$HERE/random_pushes.py" "$WORK"/*.page > "$WORK/out" 2>&1 ||
  fail "up to seed $((last - 1)): $(tail -n 3 "$WORK/out")"
for written in "$WORK"/*.written; do
  seed=$(basename "$written" .written)
  cmp -s "$written" "$WORK/$seed.page.read" ||
    fail "seed $seed: $(diff "$written" "$WORK/$seed.page.read" | cut -c -300 | head -n 4)"
done
expect "points up to seed $((last - 1))" "$(cat "$WORK"/*.read | grep -c ^point)" ">" 500
