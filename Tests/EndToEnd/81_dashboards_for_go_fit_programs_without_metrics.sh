# What dashboards made for the collectors of Go's client library ask for, selected by job and instance,
# has data for a stripped Go program whose own metrics nobody scrapes: through /sd and /probe.
. "$(dirname "$0")/lib.sh"
need prometheus prometheus-node-exporter python3 curl

prometheus-node-exporter --web.listen-address="127.0.0.1:$(free_port)" \
  --collector.disable-defaults --collector.loadavg > "$WORK/node.log" 2>&1 &
program=$!
track $program
echo "targets: [{name: shop, pid: $program, collect: [default, go, go_tinyobs]}]" > "$WORK/c.yaml"
start --config.file="$WORK/c.yaml"
cat > "$WORK/prometheus.yml" <<YAML
global: {scrape_interval: 1s}
scrape_configs:
  - job_name: shop
    http_sd_configs: [{url: "$URL/sd"}]
YAML
start_prometheus "$WORK/prometheus.yml"

# ask EXPRESSION: prints how many series it has.
ask() {
  curl -sSf -G --data-urlencode "query=$1" "http://$server/api/v1/query" |
    python3 -c 'import json, sys; print(len(json.load(sys.stdin)["data"]["result"]))'
}
twice() { [ "$(ask 'count_over_time(go_goroutines{job="shop"}[1m]) >= 3')" = 1 ]; }
poll 60 twice || fail "nothing was scraped: $(tail -n 3 "$WORK/prometheus.log")"

of='{job="shop", instance=~".+"}'
while read -r expression; do
  expression=${expression//OF/$of}
  # A counter that stands still has a rate of 0, which is data.
  [ "$(ask "$expression")" -ge 1 ] || fail "no data for $expression"
done <<'END'
up{job="shop"} == 1
process_resident_memory_bytesOF
process_virtual_memory_bytesOF
rate(process_cpu_seconds_totalOF[1m])
process_open_fdsOF / process_max_fdsOF
deriv(process_open_fdsOF[1m])
time() - process_start_time_secondsOF
go_goroutinesOF
go_threadsOF
go_infoOF
go_sched_gomaxprocs_threadsOF
go_gc_duration_secondsOF
go_gc_duration_seconds{job="shop", quantile=~"1|1.0"}
rate(go_gc_duration_seconds_sumOF[1m]) / (rate(go_gc_duration_seconds_countOF[1m]) > 0) or go_gc_duration_seconds_countOF
irate(go_gc_duration_seconds_countOF[1m])
go_gc_gogc_percentOF
rate(go_memstats_alloc_bytes_totalOF[1m])
rate(go_memstats_mallocs_totalOF[1m]) - rate(go_memstats_frees_totalOF[1m])
go_memstats_alloc_bytesOF
go_memstats_heap_alloc_bytesOF / go_memstats_heap_sys_bytesOF
go_memstats_heap_inuse_bytesOF
go_memstats_heap_idle_bytesOF - go_memstats_heap_released_bytesOF
go_memstats_heap_objectsOF
go_memstats_stack_inuse_bytesOF
go_memstats_stack_sys_bytesOF
go_memstats_mspan_inuse_bytesOF
go_memstats_mspan_sys_bytesOF
go_memstats_mcache_inuse_bytesOF
go_memstats_mcache_sys_bytesOF
go_memstats_buck_hash_sys_bytesOF
go_memstats_gc_sys_bytesOF
go_memstats_other_sys_bytesOF
go_memstats_sys_bytesOF
go_memstats_next_gc_bytesOF
time() - go_memstats_last_gc_time_secondsOF
END
