# Ten times the targets, each with its process, are ten times the samples, but a scrape in steady
# state does not ask for memory for each of them, in any format: counted, not timed.
. "$(dirname "$0")/lib.sh"
need curl gcc
# Requests for memory for each further sample. None is the encoders'; what is left is a few for each
# further process or target, which has some fifty samples.
LIMIT=${LIMIT:-0.1}

gcc -O2 -shared -fPIC -o "$WORK/allocations.so" "$HERE/allocations.c" || fail "allocations.c does not build"
fixture_system
for pid in $(seq 1001 1100); do fixture_process "$pid" "app$pid"; done
count() { od -An -t u8 -N 8 "$WORK/count" | tr -d ' '; }
get() { curl -sS -m 20 -f -o "$WORK/page" -H "Accept: $1" "$URL/metrics" || fail "no page for $1"; }

# measure NAME TARGETS...: sets allocated[NAME FORMAT], of ten scrapes, and samples[NAME].
declare -A allocated samples
declare -A accept=(
  [text]=text/plain [openmetrics]=application/openmetrics-text
  [protobuf]='application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited')
measure() {
  local name=$1 before format
  shift
  PREFIX=(env ALLOCATIONS="$WORK/count" LD_PRELOAD="$WORK/allocations.so")
  start --path.procfs="$WORK/proc" --path.sysfs="$WORK" "$@"
  for format in "${!accept[@]}"; do
    for _ in 1 2 3; do get "${accept[$format]}"; done
    before=$(count)
    for _ in $(seq 10); do get "${accept[$format]}"; done
    allocated[$name $format]=$(($(count) - before))
  done
  get text/plain
  samples[$name]=$(grep -vc '^#' "$WORK/page")
  stop "$DAEMON"
  [ "${allocated[$name text]}" -gt 10 ] || fail "nothing is counted"
}
few=() many=()
for pid in $(seq 1001 1010); do few+=(--target="t$pid=pid:$pid"); done
for pid in $(seq 1001 1100); do many+=(--target="t$pid=pid:$pid"); done
measure "few targets" "${few[@]}"
measure "many targets" "${many[@]}"

for format in "${!accept[@]}"; do
  more=$((allocated[many targets $format] - allocated[few targets $format]))
  further=$((samples[many targets] - samples[few targets]))
  expect "samples of 90 targets" "$further" '>' 3000
  each=$(awk "BEGIN { print $more / 10 / $further }")
  echo "$format: $more more requests for memory in ten scrapes of $further more samples, $each for each"
  expect "requests for memory for each sample in $format" "$each" '<' "$LIMIT"
done
