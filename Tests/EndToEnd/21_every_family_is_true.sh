# Every family of the catalogue says what the load program did, or what an independent reader of the
# kernel's files finds before and after the page. A family without a check, and one that is missing,
# fails by name.
. "$(dirname "$0")/lib.sh"
need_root
need python3 unshare ip

load_program
finish() { remove_groups; }
# Control groups with limits, in every hierarchy that can be written to.
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
make_groups

groups=$("$PROCVITALS" metrics --format=json |
  python3 -c 'import json, sys; print(*sorted({r["group"] for r in json.load(sys.stdin) if r["group"]}), sep=", ")')
cat > "$WORK/configuration.yaml" <<YAML
defaults: {collect: [$groups]}
targets:
  - {name: app, pid_file: $WORK/app.pid}
  - {name: family, pid_file: $WORK/family.pid, children: true}
  - {name: apart, pid_file: $WORK/apart.pid}
  - {name: pair, process_name: pv-pair}
YAML
start --config.file="$WORK/configuration.yaml"
python3 "$HERE/truth.py" "$PROCVITALS" "$URL" "$WORK/load" "$WORK" || fail "see above"
