# While thousands of processes and threads begin and end, no counter falls, the states are those of
# all threads, and in the end starts, exits and CPU are what the parents saw. CHURN_SECONDS=60 takes
# longer (make churn).
. "$(dirname "$0")/lib.sh"
need_root
need python3

load_program
python3 - "$PROCVITALS" "$WORK" > "$WORK/configuration.yaml" <<'PYTHON' || fail "no configuration"
import json, subprocess, sys
rows = json.loads(subprocess.check_output([sys.argv[1], "metrics", "--format=json"]))
# Proportional memory is read on the side, for processes that live longer than these.
groups = sorted({row["group"] for row in rows if row["group"]} - {"pss"})
print("defaults: {collect: [%s]}" % ", ".join(groups))
print("targets:")
print("  - {name: family, pid_file: %s/family.pid, children: true}" % sys.argv[2])
print("  - {name: service, pid_file: %s/service.pid}" % sys.argv[2])
print("  - {name: named, process_name: pv-churn}")
PYTHON
start --config.file="$WORK/configuration.yaml"
python3 "$HERE/churn.py" "$PROCVITALS" "$URL" "$WORK/load" "$WORK" "${CHURN_SECONDS:-15}" ||
  fail "see above"
