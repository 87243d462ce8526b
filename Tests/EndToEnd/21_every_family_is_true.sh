# Every family of the catalogue says what the load program did, or what an independent reader of the
# kernel's files finds before and after the page. A family without a check, and one that is missing,
# fails by name.
. "$(dirname "$0")/lib.sh"
need_root
need python3 unshare ip

load_program
finish() { remove_groups; }
make_groups

cat > "$WORK/configuration.yaml" <<YAML
defaults: {collect: [$(all_groups)]}
targets:
  - {name: app, pid_file: $WORK/app.pid}
  - {name: family, pid_file: $WORK/family.pid, children: true}
  - {name: apart, pid_file: $WORK/apart.pid}
  - {name: pair, process_name: pv-pair}
YAML
start --config.file="$WORK/configuration.yaml"
python3 "$HERE/truth.py" "$PROCVITALS" "$URL" "$WORK/load" "$WORK" || fail "see above"
