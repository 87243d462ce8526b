# What the daemon may read decides which families appear, exactly as rights.py lists them: as nobody,
# with two capabilities, with a third, and as root. What is missing is counted, and is never 0.
. "$(dirname "$0")/lib.sh"
need_root
need python3 setpriv

load_program
finish() {
  stop "${STARTED[@]}"
  remove_groups
}
make_groups
cat > "$WORK/configuration.yaml" <<YAML
defaults: {collect: [$(all_groups)]}
targets: [{name: app, process_name: pv-rights}]
YAML

python3 "$HERE/rights.py" hold "$WORK/load" "$WORK" &
track $!
poll 20 test -e "$WORK/held" || fail "the load program did not start"

as_nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups)
with() { # with CAPABILITY...: the prefix that leaves only these
  local all="-all" name
  for name in "$@"; do all+=",+$name"; done
  PREFIX=("${as_nobody[@]}" --inh-caps="$all" --ambient-caps="$all" --bounding-set="$all")
  if [ $# = 0 ]; then PREFIX=("${as_nobody[@]}" --inh-caps=-all --bounding-set=-all); fi
}
levels=()
level() {
  start --config.file="$WORK/configuration.yaml"
  levels+=("$1=$URL")
}
with
level none
with sys_ptrace dac_read_search
level io
with sys_ptrace dac_read_search net_admin
level net
PREFIX=()
level root
python3 "$HERE/rights.py" compare "$PROCVITALS" "${levels[@]}" || fail "see above"
