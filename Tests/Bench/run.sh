#!/bin/bash
# CPU time per scrape and process: procvitals against a C loop over the same files (floor.c) and
# against Debian's prometheus-process-exporter, all watching the same sleeping processes.
# Rounds are interleaved, so that a noisy machine is noisy for all. The ratios are the result.
#   PROCESSES=1000 ROUNDS=7 SCRAPES=20 Tests/Bench/run.sh
set -euo pipefail
cd "$(dirname "$0")/../.."
here=Tests/Bench
processes=${PROCESSES:-1000}
rounds=${ROUNDS:-7}
scrapes=${SCRAPES:-20}
daemon=${PROCVITALS:-.build/release/procvitals}
work=$(mktemp -d)
pids=()
# A name of its own, so that two runs at the same time do not count each other.
comm=pv-sleeper$(($$ % 100000))

clean_up() {
  local pid
  exec 8>&- 9>&-
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  wait
  rm -rf "$work"
}
trap clean_up EXIT

. "$here/lib.sh"

# run_nanoseconds PID: time on a CPU of all its threads.
run_nanoseconds() {
  cat /proc/"$1"/task/*/schedstat | awk '{ sum += $1 } END { printf "%.0f\n", sum }'
}

# ticks PID: utime + stime in clock ticks.
ticks() {
  sed 's/.*) //' "/proc/$1/stat" | awk '{ print $12 + $13 }'
}

resident_kib() {
  awk '/^VmRSS:/ { print $2 }' "/proc/$1/status"
}

median() {
  sort -n | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'
}

for program in sleepers floor; do
  gcc -O2 -o "$work/$program" "$here/$program.c"
done

mkfifo "$work/hold"
"$work/sleepers" "$processes" "$comm" < "$work/hold" > "$work/sleepers.log" 2>&1 &
pids+=($!)
exec 9> "$work/hold"
wait_for "the sleepers" grep -q ready "$work/sleepers.log"

declare -A pid url
names=()

# contender NAME PORT COMMAND...: starts a server whose /metrics is to be scraped.
contender() {
  local name=$1 port=$2
  shift 2
  "$@" > "$work/$name.log" 2>&1 9>&- &
  pids+=($!)
  pid[$name]=$!
  url[$name]="http://127.0.0.1:$port/metrics"
  names+=("$name")
  wait_for "$name" curl -sf -o /dev/null "${url[$name]}"
}

port=$(free_port)
contender procvitals "$port" "$daemon" --web.listen-address="127.0.0.1:$port" \
  --target=sleepers=name:"$comm"
watched=$(curl -s "${url[procvitals]}" |
  awk '/^procvitals_target_processes\{.*target="sleepers"/ { print $NF }')
if [ "$watched" != "$processes" ]; then
  echo "bench: procvitals watches ${watched:-no} processes instead of $processes" >&2
  exit 1
fi

exporter=$(command -v prometheus-process-exporter || true)
if [ -n "$exporter" ]; then
  printf 'process_names:\n  - name: "{{.Comm}}"\n    comm: [%s]\n' "$comm" > "$work/exporter.yml"
  port=$(free_port)
  contender exporter-lean "$port" "$exporter" -web.listen-address="127.0.0.1:$port" \
    -config.path="$work/exporter.yml" -threads=false -gather-smaps=false
  port=$(free_port)
  contender exporter-default "$port" "$exporter" -web.listen-address="127.0.0.1:$port" \
    -config.path="$work/exporter.yml"
else
  echo "bench: no prometheus-process-exporter (make deps-test installs it); without that ratio" >&2
fi

mkfifo "$work/go"
"$work/floor" "$comm" < "$work/go" > "$work/floor.out" 2> "$work/floor.log" 9>&- &
pids+=($!)
exec 8> "$work/go"

floor_round() {
  local before
  before=$(wc -l < "$work/floor.out")
  for _ in $(seq "$scrapes"); do echo >&8; done
  wait_for "the floor" test_lines $((before + scrapes))
  tail -n "$scrapes" "$work/floor.out" |
    awk -v n="$processes" '{ sum += $1 / $2 } END { printf "%.2f\n", sum / NR }' >> "$work/floor.cost"
}
test_lines() { [ "$(wc -l < "$work/floor.out")" -ge "$1" ]; }

scrape_round() {
  local name=$1 before ticks_before
  before=$(run_nanoseconds "${pid[$name]}")
  ticks_before=$(ticks "${pid[$name]}")
  curl -sf -o /dev/null "${url[$name]}?n=[1-$scrapes]"
  echo "$before $(run_nanoseconds "${pid[$name]}") $scrapes $processes" |
    awk '{ printf "%.2f\n", ($2 - $1) / 1000 / $3 / $4 }' >> "$work/$name.cost"
  echo "$ticks_before $(ticks "${pid[$name]}")" | awk '{ print $2 - $1 }' >> "$work/$name.ticks"
}

# One unmeasured round of each.
for name in "${names[@]}"; do curl -sf -o /dev/null "${url[$name]}?n=[1-3]"; done
floor_round
rm -f "$work/floor.cost"

for _ in $(seq "$rounds"); do
  floor_round
  for name in "${names[@]}"; do scrape_round "$name"; done
done

echo "$processes processes, $rounds rounds of $scrapes scrapes, $(nproc) CPUs, Linux $(uname -r)"
echo
printf '%-18s %22s %22s %12s %10s\n' "" "µs/scrape/process" "same, by clock ticks" \
  "ms/scrape" "RSS MiB"
row() {
  local name=$1 us by_ticks=- rss=-
  us=$(median < "$work/$name.cost")
  if [ -n "${pid[$name]:-}" ]; then
    by_ticks=$(awk -v hz="$(getconf CLK_TCK)" -v s="$scrapes" -v n="$processes" \
      '{ sum += $1 } END { printf "%.2f", sum / hz * 1e6 / NR / s / n }' "$work/$name.ticks")
    rss=$(awk -v k="$(resident_kib "${pid[$name]}")" 'BEGIN { printf "%.1f", k / 1024 }')
  fi
  printf '%-18s %22s %22s %12s %10s\n' "$name" \
    "$us ($(sort -n "$work/$name.cost" | sed -n '1p;$p' | paste -sd- | sed 's/-/ to /'))" \
    "$by_ticks" "$(awk -v u="$us" -v n="$processes" 'BEGIN { printf "%.1f", u * n / 1000 }')" "$rss"
}
row floor
for name in "${names[@]}"; do row "$name"; done

ratio() {
  awk -v a="$(median < "$work/$2.cost")" -v b="$(median < "$work/$3.cost")" -v name="$1" \
    'BEGIN { printf "%-42s %.2f\n", name, a / b }'
}
echo
ratio "procvitals / C loop" procvitals floor
if [ -n "$exporter" ]; then
  ratio "process-exporter (lean) / procvitals" exporter-lean procvitals
  ratio "process-exporter (defaults) / procvitals" exporter-default procvitals
fi
