# What the end-to-end scripts share. Each script is started by `run`, which sets nothing that
# they need: a script alone works too.
set -u
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=$(cd "$HERE/../.." && pwd)
PROCVITALS=${PROCVITALS:-$ROOT/.build/release/procvitals}
WORK=$(mktemp -d "${TMPDIR:-/tmp}/procvitals-e2e.XXXXXX")
chmod 755 "$WORK"
LOG=$WORK/log
export PYTHONDONTWRITEBYTECODE=1
STARTED=()

# fail TEXT: the claim does not hold. skip TEXT: it cannot be tried here.
fail() {
  echo "FAILED: $*"
  if [ -s "$LOG" ]; then
    echo "--- the daemon's log:"
    tail -n 20 "$LOG"
  fi
  exit 1
}
skip() {
  echo "SKIPPED: $*"
  exit 77
}
need_root() { [ "$(id -u)" = 0 ] || skip "needs root"; }
need() {
  local tool
  for tool in "$@"; do
    command -v "$tool" >/dev/null || skip "$tool is not installed; make deps-test does that"
  done
}

# poll SECONDS COMMAND...: repeats a command until it succeeds; fails after SECONDS.
poll() {
  local end=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    [ $SECONDS -le $end ] || return 1
    sleep 0.05
  done
}

# track PID: ends it when the script ends. Children that are not tracked are the runner's catch.
track() { STARTED+=("$1"); }
# stop PID...: SIGTERM, and SIGKILL after 10 s, which makes it fail.
stop() {
  local pid status=0
  for pid in "$@"; do
    kill -s CONT "$pid" 2>/dev/null
    kill "$pid" 2>/dev/null
  done
  for pid in "$@"; do
    poll 10 gone "$pid" || { status=1; kill -s KILL "$pid"; }
    wait "$pid" 2>/dev/null
  done
  return $status
}
gone() { [ ! -e "/proc/$1" ] || grep -q '^State:.Z' "/proc/$1/status"; }
clean_up() {
  local status=$?
  [ "$BASHPID" = "$$" ] || exit $status # a child that was killed before it became a program
  trap - EXIT
  if declare -F finish >/dev/null; then finish; fi
  stop "${STARTED[@]}"
  rm -rf --one-file-system "$WORK"
  exit $status
}
trap clean_up EXIT
trap 'exit 130' INT TERM

free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# launch ARGUMENTS...: starts the daemon on a free port; sets PORT, URL and DAEMON (its pid).
# PREFIX, an array, goes before the program's name.
launch() {
  PORT=$(free_port)
  URL=http://127.0.0.1:$PORT
  ${PREFIX[@]+"${PREFIX[@]}"} "$PROCVITALS" --web.listen-address="127.0.0.1:$PORT" "$@" \
    > /dev/null 2>> "$LOG" < /dev/null &
  DAEMON=$!
  track $DAEMON
}

# start ARGUMENTS...: the same, and waits until it is ready.
start() {
  launch "$@"
  poll 30 ready_or_gone || fail "not ready after 30 s"
  answers /-/ready || fail "it ended: $(tail -n 3 "$LOG")"
}
ready_or_gone() { gone "$DAEMON" || answers /-/ready; }
answers() { curl -sf -m 5 -o /dev/null "$URL$1"; }

# start_prometheus FILE [ARGUMENT]...: starts Prometheus with a configuration, and waits until it is
# ready; sets `server`, its address.
start_prometheus() {
  server=127.0.0.1:$(free_port)
  prometheus --config.file="$1" --storage.tsdb.path="$WORK/data" --web.listen-address="$server" \
    "${@:2}" > "$WORK/prometheus.log" 2>&1 &
  track $!
  poll 30 curl -sf "http://$server/-/ready" || fail "prometheus: $(tail -n 3 "$WORK/prometheus.log")"
}

# echo_server [LIMIT=VALUE]...: starts the echo program, Tests/EchoServer; sets ECHO and ECHO_PORT.
echo_server() {
  local program=${PROCVITALS%/*}/EchoServer
  [ -x "$program" ] || program=$ROOT/.build/release/EchoServer
  [ -x "$program" ] || fail "there is no $program: make build-echo makes it"
  : > "$WORK/echo"
  "$program" 127.0.0.1:0 "$@" > "$WORK/echo" 2>> "$LOG" < /dev/null &
  ECHO=$!
  track $ECHO
  poll 10 grep -q : "$WORK/echo" || fail "the echo program does not listen"
  ECHO_PORT=$(sed 's/.*://' "$WORK/echo")
}

# scrape: one page into $WORK/page, the metrics as text 0.0.4.
scrape() {
  curl -sS -m 30 -f "$URL/metrics" > "$WORK/page" || fail "no page from $URL/metrics"
}

# series NAME [LABEL=VALUE]...: the lines of the last page with that name and at least those labels.
series() {
  python3 - "$WORK/page" "$@" <<'PYTHON'
import re, sys
page, name, wanted = sys.argv[1], sys.argv[2], [l.split("=", 1) for l in sys.argv[3:]]
for line in open(page, encoding="utf-8"):
    found = re.match(r'([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$', line)
    if found and found[1] == name:
        labels = dict(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', found[2] or ""))
        if all(labels.get(key) == value for key, value in wanted):
            print(line, end="")
PYTHON
}

# value NAME [LABEL=VALUE]...: the one value; fails unless exactly one series matches.
value() {
  local lines
  lines=$(series "$@")
  if [ "$(grep -c . <<< "$lines")" != 1 ]; then
    echo "no single series $* on the page, but: ${lines:-none}" >&2
    return 1
  fi
  echo "${lines##* }"
}

# expect WHAT A OPERATOR B: compares numbers, or with == words; a value that is missing fails.
expect() {
  # For awk all words are variables with the same value.
  if [ "$3" = == ] && [[ "$2" = [A-Za-z]* || "$4" = [A-Za-z]* ]]; then
    [ "$2" = "$4" ] || fail "$1: expected $4, got ${2:-nothing}"
    return
  fi
  if [ -z "$2" ] || [ -z "$4" ] || ! awk "BEGIN { exit !(($2) $3 ($4)) }" 2>/dev/null; then
    fail "$1: expected $3 ${4:-a value}, got ${2:-nothing}"
  fi
}
# near WHAT A B TOLERANCE: |A - B| <= TOLERANCE.
near() {
  if [ -z "$2" ] || [ -z "$3" ] ||
    ! awk "BEGIN { d = ($2) - ($3); exit !((d < 0 ? -d : d) <= ($4)) }" 2>/dev/null; then
    fail "$1: expected ${3:-a value} give or take $4, got ${2:-nothing}"
  fi
}

# build NAME: compiles Tests/Bench/NAME.c to $WORK/NAME.
build() {
  need gcc
  gcc -O2 -pthread -o "$WORK/$1" "$ROOT/Tests/Bench/$1.c" || fail "Tests/Bench/$1.c does not build"
}

# load_program: compiles the program that does known things, Tests/Load, to $WORK/load.
load_program() {
  need gcc
  gcc -O2 -pthread -o "$WORK/load" "$ROOT"/Tests/Load/*.c || fail "Tests/Load does not build"
}

# all_groups: the names of all groups of metrics, for `collect`; but those that are given.
all_groups() {
  "$PROCVITALS" metrics --format=json | python3 -c '
import json, sys
groups = {row["group"] for row in json.load(sys.stdin) if row["group"]}
print(*sorted(groups - set(sys.argv[1:])), sep=", ")' "$@" || fail "no reference"
}

# make_groups: control groups with limits in every hierarchy that can be written to, linked from
# $WORK/groups; $WORK/small is one that allows little memory. remove_groups: once they are empty.
make_groups() {
  local hierarchy group
  mkdir "$WORK/groups"
  for hierarchy in /sys/fs/cgroup /sys/fs/cgroup/{unified,memory,pids,cpu,cpuacct}; do
    [ -e "$hierarchy/cgroup.procs" ] || continue
    group=$hierarchy/procvitals-e2e-$$
    mkdir "$group" 2>/dev/null || continue
    ln -s "$group" "$WORK/groups/$(basename "$hierarchy")"
    { echo $((1 << 30)) > "$group/memory.max"; echo $((900 << 20)) > "$group/memory.high"; } 2>/dev/null
    echo $((1 << 30)) > "$group/memory.limit_in_bytes"
    echo 5000 > "$group/pids.max"
    echo "150000 100000" > "$group/cpu.max"
    echo 150000 > "$group/cpu.cfs_quota_us"
    echo 10000 > "$group/cpu.rt_runtime_us"
    if [ -e "$group/memory.limit_in_bytes" ] || [ -e "$group/memory.max" ]; then
      mkdir "$group-small"
      echo $((32 << 20)) > "$group-small/memory.limit_in_bytes"
      echo $((32 << 20)) > "$group-small/memory.max"
      ln -sfn "$group-small" "$WORK/small"
    fi
  done 2>/dev/null
}
remove_groups() {
  local group
  for group in /sys/fs/cgroup/procvitals-e2e-$$* /sys/fs/cgroup/*/procvitals-e2e-$$*; do
    if [ -d "$group" ]; then poll 10 rmdir "$group" || echo "left behind: $group"; fi
  done
}

# vitals: starts the known-behaviour program under the comm "vitals"; sets VITALS to its pid.
# tell COMMAND: gives it a command and waits until that is done.
vitals() {
  [ -x "$WORK/vitals" ] || build vitals
  rm -f "$WORK/in" "$WORK/out"
  mkfifo "$WORK/in" "$WORK/out"
  "$WORK/vitals" < "$WORK/in" > "$WORK/out" 2>> "$WORK/vitals.err" &
  VITALS=$!
  track $VITALS
  exec 7> "$WORK/in" 6< "$WORK/out"
  hear ready
}
tell() {
  echo "$*" >&7
  hear "done"
}
hear() {
  local line
  read -r -t 60 line <&6 && [ "$line" = "$1" ] || fail "vitals said '${line:-}' instead of '$1'"
}

# fixture_process PID NAME: a process in the /proc tree $WORK/proc, with plausible files.
fixture_process() {
  local dir=$WORK/proc/$1
  mkdir -p "$dir/fd" "$dir/task/$1"
  echo "$2" > "$dir/comm"
  echo "$1 ($2) S 1 $1 $1 0 -1 4194560 100 0 3 0 200 50 0 0 20 0 1 0 1000 8000000 400 18446744073709551615 1 1 0 0 0 0 0 4096 0 0 0 0 17 0 0 0 0 0 0 0 0 0 0 0 0 0 0" > "$dir/stat"
  printf 'Name:\t%s\nState:\tS (sleeping)\nTgid:\t%s\nPid:\t%s\nPPid:\t1\nUid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\nVmPeak:\t8000 kB\nVmSize:\t8000 kB\nVmHWM:\t1600 kB\nVmRSS:\t1600 kB\nRssAnon:\t400 kB\nRssFile:\t1200 kB\nRssShmem:\t0 kB\nVmSwap:\t0 kB\nThreads:\t1\nvoluntary_ctxt_switches:\t7\nnonvoluntary_ctxt_switches:\t2\n' "$2" "$1" "$1" > "$dir/status"
  printf 'rchar: 10\nwchar: 20\nsyscr: 1\nsyscw: 2\nread_bytes: 4096\nwrite_bytes: 0\ncancelled_write_bytes: 0\n' > "$dir/io"
  printf 'Limit                     Soft Limit           Hard Limit           Units     \nMax open files            1024                 4096                 files     \nMax address space         unlimited            unlimited            bytes     \n' > "$dir/limits"
  echo "2000 400 300 10 0 100 0" > "$dir/statm"
  echo "0::/" > "$dir/cgroup"
  cp "$dir/stat" "$dir/status" "$dir/comm" "$dir/task/$1/"
}
# fixture_system: the files of the tree that are about the machine.
fixture_system() {
  mkdir -p "$WORK/proc/sys/kernel"
  printf 'cpu  1 2 3 4 5 6 7 0 0 0\nbtime 1700000000\n' > "$WORK/proc/stat"
  echo "100000.00 100000.00" > "$WORK/proc/uptime"
  echo "0.00 0.00 0.00 1/100 4242" > "$WORK/proc/loadavg"
}
