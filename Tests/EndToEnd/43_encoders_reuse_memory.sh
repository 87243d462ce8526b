# In steady state a page of a thousand times the samples asks for memory as often as a small one, in
# every format: counted, not timed.
. "$(dirname "$0")/lib.sh"
need gcc swiftc

gcc -O2 -shared -fPIC -o "$WORK/allocations.so" "$HERE/allocations.c" || fail "allocations.c does not build"
cp "$HERE/encode.swift" "$WORK/main.swift"
# By this name the main thread is the one that is counted.
swiftc -O -wmo -package-name procvitals -swift-version 6 -lm -o "$WORK/sampler" \
  "$ROOT"/Sources/Metrics/*.swift "$WORK/main.swift" > "$WORK/build" 2>&1 || fail "$(cat "$WORK/build")"
ALLOCATIONS=$WORK/count LD_PRELOAD=$WORK/allocations.so "$WORK/sampler" > "$WORK/counts" ||
  fail "the program ended with $?"
cat "$WORK/counts"
expect "formats" "$(wc -l < "$WORK/counts")" '>=' 6
while read -r format few many; do
  expect "requests for memory of a page in $format" "$many" '>' 0
  expect "requests for memory of 40,000 samples in $format" "$many" '<=' "$few"
  expect "requests for memory of a page in $format" "$many" '<=' 6
done < "$WORK/counts"
