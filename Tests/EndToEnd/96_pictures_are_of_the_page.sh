# The pictures in the README are of the page as it is: a machine with twelve services, some of them in
# trouble, in light and dark. They go to .build/e2e, or with PICTURES=DIRECTORY there.
. "$(dirname "$0")/lib.sh"
. "$HERE/go.sh"
need_root
need chromium dbus-daemon nginx prometheus prometheus-alertmanager prometheus-node-exporter \
  prometheus-process-exporter python3 redis-server runuser unshare
postgres=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | tail -n 1)
[ -x "$postgres/pgbench" ] || skip "postgresql is not installed; make deps-test does that"
pictures=${PICTURES:-$ROOT/.build/e2e}
mkdir -p "$pictures" "$WORK/www" "$WORK/run"
export WORK
# background COMMAND...: its output is of no interest.
background() { "$@" > "$WORK/out" 2>&1 & track $!; }

for name in NGINX NODES GROUPS_PORT ALERTS PROMETHEUS; do printf -v "$name" %s "$(free_port)"; done
head -c 20000 /dev/urandom > "$WORK/www/index.html"
cat > "$WORK/nginx.conf" <<CONF
daemon off; pid $WORK/run/nginx.pid; error_log $WORK/nginx.log; worker_processes 2;
events {}
http { access_log off; server { listen 127.0.0.1:$NGINX; root $WORK/www; } }
CONF
# kept NAME: what was started last is the target of that name.
kept() { echo $! > "$WORK/run/$1.pid"; }
background nginx -c "$WORK/nginx.conf"
background redis-server --port 0 --unixsocket "$WORK/redis.sock" --save '' --dir "$WORK"
kept redis
install -d -o postgres "$WORK/pg"
runuser -u postgres -- "$postgres/initdb" -D "$WORK/pg" -A trust > "$WORK/pg.log" 2>&1 ||
  fail "initdb: $(tail -n 3 "$WORK/pg.log")"
background setpriv --reuid=postgres --regid=postgres --init-groups "$postgres/postgres" \
  -D "$WORK/pg" -k "$WORK/pg" -c listen_addresses=
kept postgres
background prometheus-node-exporter --web.listen-address="127.0.0.1:$NODES"
kept node-exporter
background prometheus-process-exporter -procnames nginx -web.listen-address="127.0.0.1:$GROUPS_PORT"
kept process-exporter
background prometheus-alertmanager --config.file="$ROOT/config/alertmanager.yml" \
  --storage.path="$WORK/alerts" --cluster.listen-address= --web.listen-address="127.0.0.1:$ALERTS"
kept alertmanager
background dbus-daemon --session --nofork --address="unix:path=$WORK/bus"
kept dbus
bash -c 'ulimit -n 64; for _ in $(seq 50); do exec {fd}< /dev/null; done
  exec python3 -c "
import math, time
while True:
    end = time.process_time() + 0.015 + 0.012 * math.sin(time.monotonic() / 9)
    while time.process_time() < end: pass
    time.sleep(0.2)"' & track $!
queue=$!
go_program GoLeak "$WORK/api"
"$WORK/api" 40 300000 & track $!
api=$!
poll 20 test -S "$WORK/pg/.s.PGSQL.5432" -a -S "$WORK/redis.sock" -a -s "$WORK/run/nginx.pid" ||
  fail "the services do not start: $(tail -n 3 "$WORK/pg.log" "$WORK/nginx.log")"

{
  echo 'targets:'
  echo "  - {name: nginx, pid_file: $WORK/run/nginx.pid, children: true, labels: {service: shop}}"
  echo "  - {name: postgres, pid_file: $WORK/run/postgres.pid, children: true, labels: {service: shop}}"
  echo "  - {name: api, process_name: api, collect: [default, go], labels: {service: shop}}"
  echo "  - {name: mail-queue, pid: $queue}"
  echo "  - {name: backup, pid_file: /run/backup/backup.pid}"
  for name in redis dbus procvitals; do
    echo "  - {name: $name, pid_file: $WORK/run/$name.pid}"
  done
  for name in prometheus alertmanager node-exporter process-exporter; do
    echo "  - {name: $name, pid_file: $WORK/run/$name.pid, collect: [default, go]}"
  done
} > "$WORK/c.yaml"
PREFIX=(unshare --uts sh -c 'hostname web1 && exec "$0" "$@"')
start --config.file="$WORK/c.yaml"
echo "$DAEMON" > "$WORK/run/procvitals.pid"
{
  echo 'global: {scrape_interval: 3s, scrape_timeout: 3s}'
  echo 'scrape_configs:'
  for port in $PORT $NODES $GROUPS_PORT $ALERTS; do
    echo "  - {job_name: of-$port, static_configs: [{targets: ['127.0.0.1:$port']}]}"
  done
} > "$WORK/prometheus.yml"
background prometheus --config.file="$WORK/prometheus.yml" --storage.tsdb.path="$WORK/data" \
  --web.listen-address="127.0.0.1:$PROMETHEUS"
kept prometheus

# Work for them, more of it and less, while somebody looks.
as_postgres() { runuser -u postgres -- "$postgres/$1" -h "$WORK/pg" "${@:2}" postgres; }
as_postgres pgbench -q -i -s 2 > "$WORK/bench" 2>&1 || fail "pgbench: $(tail -n 3 "$WORK/bench")"
background runuser -u postgres -- "$postgres/pgbench" -h "$WORK/pg" -n -c 3 -R 150 -T 300 postgres
cat > "$WORK/load.py" <<'PYTHON'
import http.client, math, os, socket, subprocess, sys, time
url, nginx, api = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
redis = socket.socket(socket.AF_UNIX)
redis.connect(os.environ["WORK"] + "/redis.sock")
shop = http.client.HTTPConnection("127.0.0.1", nginx)
page = http.client.HTTPConnection(url.removeprefix("http://"))
begin, number, is_new = time.monotonic(), 0, False
while True:
    now = time.monotonic() - begin
    page.request("GET", "/api/v1/history?span=1")
    page.getresponse().read()
    for _ in range(int(150 + 130 * math.sin(now / 5))):
        shop.request("GET", "/")
        shop.getresponse().read()
        number += 1
        redis.sendall(b"".join(f"SET key{number}-{i} {'x' * 500}\r\n".encode() for i in range(5)))
        redis.recv(1 << 16)
    if now > 75:
        open(os.environ["WORK"] + "/seen", "w").close()
    if now > 40 and not is_new:
        is_new = True
        os.kill(api, 15)
        new = subprocess.Popen([os.environ["WORK"] + "/api", "40", "300000"], stdin=subprocess.DEVNULL)
        with open(os.environ["WORK"] + "/api.pid", "w") as file:
            file.write(str(new.pid))
    time.sleep(max(0, 1 - (time.monotonic() - begin - now)))
PYTHON
background python3 "$WORK/load.py" "$URL" "$NGINX" $api
poll 150 test -e "$WORK/seen" || fail "the load: $(tail -n 3 "$WORK/out")"
track "$(< "$WORK/api.pid")"

PYTHONPATH=$HERE python3 - "$URL" "$pictures" "$(hostname)" "$WORK" <<'PYTHON' || fail "see above"
import os, sys
from browser import Browser
from palette import shrink
url, pictures, host, work = sys.argv[1:]
for name, dark in [("page", False), ("page-dark", True)]:
    with Browser(size=(1280, 1000), dark=dark) as browser:
        browser.open(url + "/")
        browser.until("document.getElementById('live').textContent === 'live'")
        browser.until("document.querySelectorAll('main .line[d*=L]').length > 40")
        shown = browser.value("document.querySelector('header').innerText + document.querySelector('main').innerText")
        names = browser.value("[...document.querySelectorAll('main h2')].map(e => e.textContent)")
        for text in [host, work, "/root", "/tmp", "127.0.0.1"]:
            if text in shown:
                sys.exit(f"FAILED: the picture has {text}: {shown}")
        for text in ["web1", "11 of 12", "▲ of 64, ", "Goroutines", "1 restart", "Prometheus/"]:
            if text not in shown:
                sys.exit(f"FAILED: the picture lacks {text}: {shown}")
        if len(names) != 12 or names[0] != "backup" or browser.complaints:
            sys.exit(f"FAILED: {names} {browser.complaints}")
        # Whole rows only.
        height = int(browser.value(
            "Math.max(...[...document.querySelectorAll('main .card')]"
            ".map(e => e.getBoundingClientRect().bottom).filter(y => y < 1320)) + 6"))
        path = f"{pictures}/{name}.png"
        browser.picture(path, clip=(0, 0, 1280, height))
        before = os.path.getsize(path)
        shrink(path)
        size = os.path.getsize(path)
        print(f"{path}: 1280x{height}, {before} bytes, {size} with a palette")
        if size > 120_000:
            sys.exit("FAILED: the picture is too large")
PYTHON
