#!/bin/bash
# The HTTP server against Debian's nginx, both with one thread: the same bytes over keep-alive
# connections (requests per second, CPU per request), and memory for idle connections.
# The server is the echo program (Tests/EchoServer), the daemon's core with fixed bodies, because
# the daemon itself has no page whose making costs nothing.
# Rounds are interleaved, so that a noisy machine is noisy for both. The ratios are the result.
#   ROUNDS=5 SECONDS_EACH=3 CONNECTIONS=64 IDLE=10000 Tests/Bench/http.sh
# Ends with 1 if an idle connection costs 4 KiB or more, or most of it is not given back.
set -euo pipefail
cd "$(dirname "$0")/../.."
here=Tests/Bench
rounds=${ROUNDS:-5}
seconds=${SECONDS_EACH:-3}
connections=${CONNECTIONS:-64}
idle=${IDLE:-10000}
echo_server=${ECHO_SERVER:-.build/release/EchoServer}
work=$(mktemp -d)
chmod 755 "$work"
pids=()

clean_up() {
  local pid
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  wait
  rm -rf "$work"
}
trap clean_up EXIT

. "$here/lib.sh"
PATH=$PATH:/usr/sbin
for tool in nginx wrk; do
  command -v $tool >/dev/null || { echo "bench: no $tool; make deps-test installs it" >&2; exit 1; }
done
if [ "$(ulimit -Hn)" -lt $((idle + 500)) ]; then
  echo "bench: at most $(ulimit -Hn) descriptors; say IDLE=$(($(ulimit -Hn) - 500))" >&2
  exit 1
fi
ulimit -n "$(ulimit -Hn)"

declare -A pid url
names=(procvitals nginx)
sizes=(1024 102400)

"$echo_server" 127.0.0.1:0 maxConnections=$((idle + 500)) idleTime=3600 > "$work/procvitals.log" &
pids+=($!)
pid[procvitals]=$!
wait_for "the echo program" grep -q : "$work/procvitals.log"
url[procvitals]="http://$(cat "$work/procvitals.log")/"

port=$(free_port)
for size in "${sizes[@]}"; do head -c "$size" /dev/zero | tr '\0' x > "$work/$size"; done
cat > "$work/nginx.conf" << CONF
daemon off;
master_process off;
worker_processes 1;
worker_rlimit_nofile $((idle + 500));
pid $work/nginx.pid;
error_log stderr error;
events { worker_connections $((idle + 500)); }
http {
  access_log off;
  sendfile on;
  tcp_nopush on;
  tcp_nodelay on;
  keepalive_timeout 3600;
  keepalive_requests 1000000000;
  open_file_cache max=100 inactive=3600s;
  open_file_cache_valid 3600s;
  default_type application/octet-stream;
  client_body_temp_path $work/t1; proxy_temp_path $work/t2; fastcgi_temp_path $work/t3;
  uwsgi_temp_path $work/t4; scgi_temp_path $work/t5;
  server { listen 127.0.0.1:$port backlog=512; root $work; }
}
CONF
nginx -p "$work" -c "$work/nginx.conf" > "$work/nginx.log" 2>&1 &
pids+=($!)
pid[nginx]=$!
url[nginx]="http://127.0.0.1:$port/"
wait_for nginx curl -sf -o /dev/null "${url[nginx]}1024"
for name in "${names[@]}"; do
  for size in "${sizes[@]}"; do
    [ "$(curl -sf "${url[$name]}$size" | cmp - "$work/$size" && echo same)" = same ]
  done
done

run_nanoseconds() { cat /proc/"$1"/task/*/schedstat | awk '{ sum += $1 } END { printf "%.0f\n", sum }'; }
anonymous_kib() { awk '/^RssAnon:/ { print $2 }' "/proc/$1/status"; }
median() {
  sort -n | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'
}

load_round() {
  local name=$1 size=$2 before requests rate
  before=$(run_nanoseconds "${pid[$name]}")
  wrk -t1 -c"$connections" -d"$seconds" "${url[$name]}$size" > "$work/wrk"
  if grep -qE 'Non-2xx|Socket errors' "$work/wrk"; then cat "$work/wrk" >&2; exit 1; fi
  requests=$(awk '/requests in/ { print $1 }' "$work/wrk")
  rate=$(awk '/^Requests\/sec/ { print $2 }' "$work/wrk")
  echo "$rate" >> "$work/$name.$size.rate"
  echo "$before $(run_nanoseconds "${pid[$name]}") $requests" |
    awk '{ printf "%.3f\n", ($2 - $1) / 1000 / $3 }' >> "$work/$name.$size.cpu"
}

for _ in $(seq "$rounds"); do
  for size in "${sizes[@]}"; do
    for name in "${names[@]}"; do load_round "$name" "$size"; done
  done
done

# Idle connections that have had one answer each.
cat > "$work/hold.py" << 'PYTHON'
import socket, sys
host, path = sys.argv[1].removeprefix("http://").split("/", 1)
address = host.split(":")
held = []
for _ in range(int(sys.argv[2])):
    client = socket.create_connection((address[0], int(address[1])))
    client.sendall(f"GET /{path}1024 HTTP/1.1\r\nHost: a\r\n\r\n".encode())
    data = b""
    while not data.endswith(b"x" * 1024):
        data += client.recv(4096)
    held.append(client)
print("ready", flush=True)
sys.stdin.read()
PYTHON
status=0
idle_round() {
  local name=$1 before during after
  before=$(anonymous_kib "${pid[$name]}")
  mkfifo "$work/hold.$name"
  python3 "$work/hold.py" "${url[$name]}" "$idle" < "$work/hold.$name" > "$work/hold.$name.log" &
  pids+=($!)
  exec 9> "$work/hold.$name"
  wait_for "idle connections to $name" grep -q ready "$work/hold.$name.log"
  during=$(anonymous_kib "${pid[$name]}")
  exec 9>&-
  wait $!
  wait_for "the end of idle connections" all_closed "${pid[$name]}"
  after=$(anonymous_kib "${pid[$name]}")
  echo "$before $during $after" > "$work/$name.idle"
}
all_closed() { [ "$(find "/proc/$1/fd" -lname 'socket:*' | wc -l)" -lt 10 ]; }
for name in "${names[@]}"; do idle_round "$name"; done

echo "$connections connections, $rounds rounds of $seconds s, $(nproc) CPUs, Linux $(uname -r)," \
  "$(nginx -v 2>&1 | sed 's/.*: //')"
echo
printf '%-12s %8s %24s %26s\n' "" bytes "requests/s" "µs of CPU per request"
range() { sort -n "$1" | sed -n '1p;$p' | paste -sd- | sed 's/-/ to /'; }
for size in "${sizes[@]}"; do
  for name in "${names[@]}"; do
    f=$work/$name.$size
    printf '%-12s %8s %24s %26s\n' "$name" "$size" \
      "$(median < "$f.rate" | cut -d. -f1) ($(range "$f.rate" | sed 's/\.[0-9]*//g'))" \
      "$(median < "$f.cpu") ($(range "$f.cpu"))"
  done
done
echo
ratio() { awk -v a="$1" -v b="$2" -v name="$3" 'BEGIN { printf "%-44s %.2f\n", name, a / b }'; }
for size in "${sizes[@]}"; do
  for what in rate cpu; do
    ratio "$(median < "$work/procvitals.$size.$what")" "$(median < "$work/nginx.$size.$what")" \
      "$size bytes, $what: procvitals / nginx"
  done
done
echo
for name in "${names[@]}"; do
  read -r before during after < "$work/$name.idle"
  awk -v name="$name" -v n="$idle" -v b="$before" -v d="$during" -v a="$after" 'BEGIN {
    printf "%-12s %d bytes of private memory per idle connection; RssAnon %d KiB, %d with %d, %d after\n",
      name, (d - b) * 1024 / n, b, d, n, a }'
done
read -r before during after < "$work/procvitals.idle"
if [ $(((during - before) * 1024 / idle)) -ge 4096 ]; then
  echo "bench: an idle connection costs 4 KiB or more" >&2
  status=1
fi
if [ $((after - before)) -gt $(((during - before) / 2 + 256)) ]; then
  echo "bench: memory of idle connections is not given back" >&2
  status=1
fi
exit $status
