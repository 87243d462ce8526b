# What 25 and 26 share: among 2,000 processes that are not targets, processes begin, call exec and
# take another name. Expects lib.sh.
#
# found COMMAND...: says how a target's process must be found: at the next scrape, or by polling.
among_others() {
  build sleepers
  mkfifo "$WORK/hold"
  "$WORK/sleepers" 2000 pv-foreign < "$WORK/hold" > "$WORK/sleepers.out" &
  track $!
  exec 8> "$WORK/hold"
  poll 60 grep -q ready "$WORK/sleepers.out" || fail "no 2,000 processes after 60 s"
  vitals
  mkfifo "$WORK/go"
  bash -c "read line < '$WORK/go'; exec '$WORK/pv-exec' 1000" &
  SHELL_PID=$!
  track $SHELL_PID
  for name in pv-new pv-exec; do cp "$(command -v sleep)" "$WORK/$name"; done
  start --target=new=name:pv-new --target=exec=name:pv-exec --target=name=name:pv-name
  for _ in 1 2 3; do scrape; done
  for target in new exec name; do
    expect "processes of $target" "$(value procvitals_target_processes target=$target)" == 0
  done
}
goes_by() { [ "$(< "/proc/$1/comm")" = "$2" ]; }

begin() {
  "$WORK/pv-new" 1000 &
  track $!
  poll 10 goes_by $! pv-new || fail "no pv-new"
}
change() {
  tell name pv-name
  echo > "$WORK/go"
  poll 10 goes_by $SHELL_PID pv-exec || fail "no pv-exec"
}
has() {
  scrape
  [ "$(value procvitals_target_processes target="$1")" = "$2" ]
}
