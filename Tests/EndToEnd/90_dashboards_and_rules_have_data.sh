# A Prometheus that has scraped the daemon evaluates every expression of every dashboard and rule, and
# finds data for all families that are on the page.
. "$(dirname "$0")/lib.sh"
. "$HERE/go.sh"
need_root
need prometheus python3

finish() { stop $leak; remove_groups; }
make_groups
go_program GoLeak "$WORK/leak"
GOMEMLIMIT=1GiB "$WORK/leak" 20 2000000 &
track $!
leak=$!
for group in "$WORK"/groups/*; do
  echo $leak > "$group/cgroup.procs" || fail "the control group $group takes nobody"
done
sleep 1000 &
short=$!
track $short
cat > "$WORK/c.yaml" <<YAML
defaults: {collect: [$(all_groups go_tinyobs)]}
health: {thresholds: {restarts: {degraded: 99, failing: 100}}}
targets:
  - {name: leak, pid: $leak}
  - {name: procvitals, cmdline: '--config.file=$WORK/c.yaml', labels: {service: vitals}}
  - {name: absent, pid_file: $WORK/none.pid}
  - {name: ends, pid: $short}
  - {name: each, process_name: prometheus, cmdline: '$WORK/', per_process: true}
otlp: {endpoint: "http://127.0.0.1:9"}
YAML
echo "{}" > "$WORK/web.yml"
start --config.file="$WORK/c.yaml" --web.config.file="$WORK/web.yml"
# With the job for /sd.
sed "/job_name: procvitals-programs/,/labeldrop/s,^#  ,  ,; s,15s,1s,; s,127.0.0.1:9656,127.0.0.1:$PORT," \
  "$ROOT/config/prometheus.yml" > "$WORK/prometheus.yml"
cp "$ROOT/config/procvitals.rules.yml" "$WORK"
start_prometheus "$WORK/prometheus.yml"
stop $short
settled() {
  local family
  scrape
  for family in process_exits_total go_gc_duration_seconds procvitals_scrapes_total; do
    series $family | grep -q . || return
  done
}
poll 30 settled || fail "no exit or no Go program on the page"
"$ROOT/Tests/Dashboards/check" live "$server" "$WORK/page" || fail "see above"
