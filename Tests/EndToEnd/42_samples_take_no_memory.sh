# A scrape in steady state does not ask for memory for each sample that it writes, in any format:
# counted, not timed. A page of everything and one of a single family are of the same collection of a
# hundred targets, so what differs is what the other samples take.
. "$(dirname "$0")/lib.sh"
need curl gcc
# Requests for memory for each further sample: a few for the page or a target are allowed.
LIMIT=0.1

gcc -O2 -shared -fPIC -o "$WORK/allocations.so" "$HERE/allocations.c" || fail "allocations.c does not build"
fixture_system
targets=()
for pid in $(seq 1001 1100); do
  fixture_process "$pid" "app$pid"
  targets+=(--target="t$pid=pid:$pid")
done
PREFIX=(env ALLOCATIONS="$WORK/count" LD_PRELOAD="$WORK/allocations.so")
start --path.procfs="$WORK/proc" --path.sysfs="$WORK" "${targets[@]}"

get() { curl -sS -m 20 -f -o "$WORK/page" -H "Accept: $2" "$URL/metrics?$1" || fail "no page for $2"; }
count() { od -An -t u8 -N 8 "$WORK/count" | tr -d ' '; }
# taken QUERY ACCEPT: sets TAKEN to the requests for memory of ten scrapes.
taken() {
  local before
  for _ in 1 2 3; do get "$1" "$2"; done
  before=$(count)
  for _ in $(seq 10); do get "$1" "$2"; done
  TAKEN=$(($(count) - before))
  [ $TAKEN -ge 10 ] || fail "nothing is counted"
}
family='name%5B%5D=process_threads'
get "$family" text/plain
few=$(grep -vc '^#' "$WORK/page")
expect "samples of one family" "$few" == 100
get '' text/plain
more=$(($(grep -vc '^#' "$WORK/page") - few))
expect "other samples" "$more" '>' 3000

for accept in text/plain application/openmetrics-text \
  'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited'; do
  taken "$family" "$accept"
  one=$TAKEN
  taken '' "$accept"
  each=$(awk "BEGIN { print ($TAKEN - $one) / 10 / $more }")
  echo "$accept: $((one / 10)) requests for memory a scrape, $(((TAKEN - one) / 10)) for $more more samples"
  expect "requests for memory for each further sample, $accept" "$each" '<' $LIMIT
done
