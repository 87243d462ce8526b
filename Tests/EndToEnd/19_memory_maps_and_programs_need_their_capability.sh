# Limits and info need no right; mappings and proportional memory of another user's process need
# CAP_PERFMON, the path of its program CAP_SYS_PTRACE, which is enough for all of them.
. "$(dirname "$0")/lib.sh"
need_root
need setpriv

vitals
cat > "$WORK/config.yaml" <<YAML
targets:
  - {name: app, pid: $VITALS, collect: [limits, maps, pss, info]}
YAML
# page_with CAPABILITY: one collection as nobody with that alone.
page_with() {
  setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps="-all$1" --ambient-caps="-all$1" \
    --bounding-set="-all$1" "$PROCVITALS" once --config.file="$WORK/config.yaml" > "$WORK/page" ||
    fail "no page with '$1'"
}
memory() { series process_memory_maps; series process_unique_memory_bytes; }
denied() { series procvitals_unreadable_total reason=denied source="$1" | grep -c .; }
answered() { page_with "$1" && [ "$(memory | grep -c .)" = 2 ]; }

page_with ""
expect "open_files" "$(value process_limit resource=open_files)" == "$(ulimit -S -n)"
expect "memory without a right" "$(memory | grep -c .)" == 0
expect "denied reads of maps" "$(denied maps)" == 1
expect "denied reads of smaps_rollup" "$(denied smaps_rollup)" == 1
expect "info without the program" "$(series process_info exe= user=root | grep -c .)" == 1

# A busy machine may let a read be late.
poll 30 answered ,+perfmon || fail "no memory with CAP_PERFMON: $(cat "$WORK/page")"
expect "info without the program" "$(series process_info exe= | grep -c .)" == 1
poll 30 answered ,+sys_ptrace || fail "no memory with CAP_SYS_PTRACE: $(cat "$WORK/page")"
expect "info with the program" "$(series process_info exe="$WORK/vitals" | grep -c .)" == 1
expect "denied reads with CAP_SYS_PTRACE" "$(denied maps) + $(denied exe)" == 0
