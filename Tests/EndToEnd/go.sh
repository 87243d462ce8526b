# What the end-to-end scripts about Go programs share; needs lib.sh.

# go_program DIRECTORY FILE [FLAGS]: builds Tests/DIRECTORY to FILE with Debian's Go, else with the
# newest of those that make go-layouts has fetched. go_subject [FLAGS]: Tests/GoMatrix/subject.
go_program() {
  local go
  go=$(command -v /usr/lib/go-*/bin/go "$ROOT"/.build/go/*/bin/go | tail -n 1)
  [ -n "$go" ] || skip "there is no Go: make deps-go installs Debian's"
  (cd "$ROOT/Tests/$1" &&
    GOCACHE=$ROOT/.build/go/cache GOFLAGS=-mod=mod GOTOOLCHAIN=local CGO_ENABLED=0 \
      "$go" build -ldflags "${3:-}" -o "$2" .) || fail "Tests/$1 does not build"
}
go_subject() { go_program GoMatrix/subject "$WORK/subject" "${1:-}"; }

# subject NAME: starts it; sets SUBJECT to its pid. ask NAME COMMAND: prints its answer.
subject() {
  mkfifo "$WORK/$1.in" "$WORK/$1.out"
  ${SUBJECT_PREFIX[@]+"${SUBJECT_PREFIX[@]}"} "$WORK/subject" < "$WORK/$1.in" > "$WORK/$1.out" \
    2>> "$WORK/$1.err" &
  SUBJECT=$!
  track $SUBJECT
  # Kept open, so that it does not see an end between two commands.
  eval "exec {in_$1}> '$WORK/$1.in' {out_$1}< '$WORK/$1.out'"
}
ask() {
  local in=in_$1 out=out_$1 line
  echo "${*:2}" >&"${!in}"
  read -r -t 60 line <&"${!out}" || fail "$1 does not answer to ${*:2}"
  echo "$line"
}
# do_all NAME COMMAND...: commands that are just done.
do_all() {
  local name=$1 command
  shift
  for command in "$@"; do
    [ "$(ask "$name" $command)" = "done" ] || fail "$name does not do $command"
  done
}
