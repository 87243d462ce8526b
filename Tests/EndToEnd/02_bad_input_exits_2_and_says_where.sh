# Bad command lines and configurations end with status 2 and say where, what, and what was expected.
. "$(dirname "$0")/lib.sh"

# refused WORDS TEXT...: neither `check` nor `serve` takes the configuration; the message has WORDS.
refused() {
  local words=$1 word command status
  shift
  printf '%s\n' "$@" > "$WORK/c.yaml"
  for command in check serve; do
    "$PROCVITALS" $command --config.file="$WORK/c.yaml" > "$WORK/out" 2>&1 < /dev/null &
    track $!
    poll 20 gone $! || fail "$command does not end on: $*"
    wait $!
    status=$?
    [ $status = 2 ] || fail "$command ended with $status instead of 2 on: $*; it said: $(cat "$WORK/out")"
    for word in $words; do
      grep -qF "$word" "$WORK/out" || fail "$command on '$*' does not say '$word' but: $(cat "$WORK/out")"
    done
  done
}
# rejected STATUSES ARGUMENTS...: the command line ends it with one of the statuses and one message.
rejected() {
  local statuses=$1 status
  shift
  timeout 20 "$PROCVITALS" "$@" > "$WORK/out" 2>&1 < /dev/null
  status=$?
  case " $statuses " in *" $status "*) ;; *) fail "'$*' ended with $status, not $statuses: $(cat "$WORK/out")" ;; esac
  [ -s "$WORK/out" ] || fail "'$*' says nothing"
}

refused "c.yaml:3:5 pidfile pid_file" "targets:" "  - name: a" "    pidfile: /run/a.pid"
refused "c.yaml:3:5 name" "targets:" "  - name: a" "    name: b" "    pid_file: /run/a.pid"
refused "c.yaml:4:15" "targets:" "  - name: a" "    pid_file: /run/a.pid" "    children: maybe"
refused "c.yaml:1:10 targets" "targets: 5"
refused "c.yaml: } 2" "targets:" "  - {name: a, pid_file: /run/a.pid" ""
refused "c.yaml:4:15 collect nonsense" "targets:" "  - name: a" "    pid_file: /run/a.pid" "    collect: [nonsense]"
refused "c.yaml:2:" "targets:" "  - name: a"
refused "c.yaml: a" "targets:" "  - {name: a, pid_file: /run/a.pid}" "  - {name: a, pid_file: /run/b.pid}"
printf 'targets: []\n' > "$WORK/good.yaml"
"$PROCVITALS" check --config.file="$WORK/good.yaml" > "$WORK/out" 2>&1 || fail "check refuses a good file: $(cat "$WORK/out")"

rejected 2 --no-such-flag
rejected 2 --web.listen-address=127.0.0.1:http
rejected 2 --web.listen-address=127.0.0.1:70000
rejected 2 --target=web
rejected 2 --target=web=colour:red
rejected 2 --target=web=pid:zero
rejected 2 check --config.file="$WORK/missing.yaml"
grep -q "missing.yaml" "$WORK/out" || fail "it does not name the missing file: $(cat "$WORK/out")"
rejected 2 --config.file="$WORK/missing.yaml"

start --target=self=pid:$$
rejected 1 --web.listen-address="127.0.0.1:$PORT"
grep -q "$PORT" "$WORK/out" || fail "it does not name the taken address: $(cat "$WORK/out")"
