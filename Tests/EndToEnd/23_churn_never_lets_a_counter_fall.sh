# While thousands of processes and threads begin and end, no counter falls, the states are those of
# all threads, and in the end starts, exits and CPU are what the parents saw. CHURN_SECONDS=60 takes
# longer (make churn).
. "$(dirname "$0")/lib.sh"
need_root
need python3

load_program
# Proportional memory is read on the side, for processes that live longer than these.
cat > "$WORK/configuration.yaml" <<YAML
defaults: {collect: [$(all_groups pss)]}
targets:
  - {name: family, pid_file: $WORK/family.pid, children: true}
  - {name: service, pid_file: $WORK/service.pid}
  - {name: named, process_name: pv-churn}
YAML
start --config.file="$WORK/configuration.yaml"
python3 "$HERE/churn.py" "$PROCVITALS" "$URL" "$WORK/load" "$WORK" "${CHURN_SECONDS:-15}" ||
  fail "see above"
