# Debian's Prometheus scrapes procvitals, which watches nginx, redis, postgres and a Python program:
# what Prometheus answers is what the kernel says about them.
. "$(dirname "$0")/lib.sh"
need_root
need prometheus nginx redis-server python3 runuser
postgres=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | tail -n 1)
[ -x "$postgres/postgres" ] || skip "postgresql is not installed; make deps-test does that"

mkdir "$WORK/www"
cat > "$WORK/nginx.conf" <<CONF
daemon off; pid $WORK/nginx.pid; error_log $WORK/nginx.log; worker_processes 2;
events {}
http { access_log off; server { listen 127.0.0.1:$(free_port); root $WORK/www; } }
CONF
nginx -c "$WORK/nginx.conf" 2> "$WORK/nginx.err" &
track $!
redis-server --port 0 --unixsocket "$WORK/redis.sock" --save '' --dir "$WORK" > "$WORK/redis.log" &
track $!
install -d -o postgres "$WORK/pg"
runuser -u postgres -- "$postgres/initdb" -D "$WORK/pg" -A trust > "$WORK/pg.log" 2>&1 ||
  fail "initdb: $(tail -n 3 "$WORK/pg.log")"
setpriv --reuid=postgres --regid=postgres --init-groups "$postgres/postgres" -D "$WORK/pg" \
  -k "$WORK/pg" -c listen_addresses= -c autovacuum=off >> "$WORK/pg.log" 2>&1 &
track $!
mkfifo "$WORK/python.in"
python3 -c '
import sys, time
for line in sys.stdin:
    end = time.process_time() + float(line)
    while time.process_time() < end: pass' < "$WORK/python.in" &
program=$!
track $program
exec 4> "$WORK/python.in"
poll 20 test -S "$WORK/pg/.s.PGSQL.5432" || fail "postgres: $(tail -n 3 "$WORK/pg.log")"
poll 20 test -s "$WORK/nginx.pid" || fail "nginx: $(cat "$WORK/nginx.err")"
poll 20 test -S "$WORK/redis.sock" || fail "redis: $(tail -n 3 "$WORK/redis.log")"

cat > "$WORK/c.yaml" <<CONF
targets:
  - {name: nginx, pid_file: $WORK/nginx.pid, children: true, labels: {service: web}}
  - {name: redis, process_name: redis-server}
  - {name: postgres, exe: /usr/lib/postgresql/*/bin/postgres}
  - {name: program, pid: $program}
CONF
start --config.file="$WORK/c.yaml"
cat > "$WORK/prometheus.yml" <<CONF
global: {scrape_interval: 1s, scrape_timeout: 1s}
scrape_configs:
  - {job_name: procvitals, static_configs: [{targets: ["127.0.0.1:$PORT"]}]}
CONF
start_prometheus "$WORK/prometheus.yml"
echo 1.2 >&4
python3 "$HERE/compare_with_proc.py" "$server" nginx="$(cat "$WORK/nginx.pid")" program=$program ||
  fail "Prometheus does not say what /proc says"
