#!/bin/bash
# CPU time of the daemon per scrape, of one target that is chosen by name, among few and among many
# processes that are not targets: the ratio is the result. Once where the kernel tells of new
# processes, and once in a network namespace of its own, where it does not (needs root).
#   FEW=10 MANY=10000 ROUNDS=3 SCRAPES=200 SETTLE=15 Tests/Bench/discovery.sh
set -euo pipefail
cd "$(dirname "$0")/../.."
few=${FEW:-10}
many=${MANY:-10000}
rounds=${ROUNDS:-3}
scrapes=${SCRAPES:-200}
settle=${SETTLE:-15}
daemon=${PROCVITALS:-.build/release/procvitals}

if [ $# = 0 ]; then
  echo "$rounds rounds of $scrapes scrapes, $(nproc) CPUs, Linux $(uname -r)"
  "$0" "with events"
  if [ "$(id -u)" = 0 ]; then
    unshare --net sh -c 'ip link set lo up && exec "$0" "$@"' "$0" "without events"
  else
    echo "bench: needs root to show the cost without events" >&2
  fi
  exit
fi

work=$(mktemp -d)
pids=()
others=
clean_up() {
  local pid
  exec 9>&-
  for pid in "${pids[@]}" ${others:+"$others"}; do kill "$pid" 2>/dev/null || true; done
  wait
  rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 1' INT TERM

. Tests/Bench/lib.sh

# What else happens on the machine can only add to the cost.
lowest() { sort -n | head -n 1; }

gcc -O2 -o "$work/sleepers" Tests/Bench/sleepers.c
mkfifo "$work/hold"
cp "$(command -v sleep)" "$work/pv-target"
"$work/pv-target" 3600 &
pids+=($!)
port=$(free_port)
"$daemon" --web.listen-address="127.0.0.1:$port" --target=one=name:pv-target 2> "$work/daemon.log" &
server=$!
pids+=($server)
url=http://127.0.0.1:$port/metrics
wait_for "the daemon" curl -sf -o /dev/null "$url"
value() { curl -sf "$url" | awk -v name="$1" 'index($0, name) == 1 { print $NF }'; }
[ "$(value 'procvitals_target_processes{target="one"}')" = 1 ] || { echo "bench: no target" >&2; exit 1; }

run_nanoseconds() { cat /proc/$server/task/*/schedstat | awk '{ sum += $1 } END { printf "%.0f\n", sum }'; }
resident_kib() { awk '/^VmRSS:/ { print $2 }' /proc/$server/status; }

# foreign N: replaces the processes that are not targets.
foreign() {
  if [ -n "$others" ]; then
    exec 9>&-
    wait "$others" || true
  fi
  "$work/sleepers" "$1" pv-foreign < "$work/hold" > "$work/sleepers.log" 9>&- &
  others=$!
  exec 9> "$work/hold"
  wait_for "$1 processes" grep -q ready "$work/sleepers.log"
}
# cost FILE N COMMAND...: µs of the daemon for each of N scrapes that the command makes.
cost() {
  local file=$1 count=$2 before
  shift 2
  before=$(run_nanoseconds)
  "$@"
  echo "$before $(run_nanoseconds) $count" | awk '{ printf "%.1f\n", ($2 - $1) / 1000 / $3 }' >> "$work/$file"
}
scrape() { curl -sf -o /dev/null "$url?n=[1-$1]"; }
# Between two scrapes curl and some other programs begin and end.
scrape_and_fork() {
  local i
  for ((i = 0; i < $1; i++)); do
    curl -sf -o /dev/null "$url"
    for _ in 1 2 3 4; do /bin/true; done
  done
}

for round in $(seq "$rounds"); do
  for kind in few many; do
    foreign "${!kind}"
    cost "first.$kind" 1 scrape 1
    for _ in $(seq "$settle"); do
      sleep 1
      scrape 1
    done
    cost "steady.$kind" "$scrapes" scrape "$scrapes"
    cost "forks.$kind" $((scrapes / 4)) scrape_and_fork $((scrapes / 4))
    resident_kib >> "$work/resident.$kind"
  done
done

echo
printf '%-30s %10s %10s %8s\n' "$1 ($(value 'procvitals_capability{name="proc_connector"}'))" \
  "$few others" "$many others" ratio
row() {
  awk -v what="$1" -v a="$(lowest < "$work/$2.few")" -v b="$(lowest < "$work/$2.many")" \
    'BEGIN { printf "%-30s %10s %10s %8.2f\n", what, a, b, b / a }'
}
row "µs/scrape, nothing new" steady
row "µs/scrape, 5 forks between" forks
row "µs, first scrape with them" first
row "resident KiB" resident
