# With the same configuration and flags as process-exporter, over the same processes at the same
# time, the page has the same families, types, labels and values; what differs is a defect there.
. "$(dirname "$0")/lib.sh"
need_root # to read the I/O of what runs as another user
need python3 prometheus-process-exporter setpriv

load_program
cp "$(command -v sleep)" "$WORK/sleep"
theirs=$(free_port) ours=$(free_port)
python3 "$HERE/side_by_side.py" "$PROCVITALS" "$WORK" "$theirs" "$ours" || fail "see above"
