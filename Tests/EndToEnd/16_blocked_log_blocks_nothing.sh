# A reader of standard error that does not read holds up neither requests nor collections.
. "$(dirname "$0")/lib.sh"

mkfifo "$WORK/err"
exec 5<> "$WORK/err" # held open, never read
printf 'targets:\n  - {name: app, pid: %s}\n' $$ > "$WORK/c.yaml"
PORT=$(free_port)
URL=http://127.0.0.1:$PORT
"$PROCVITALS" --web.listen-address="127.0.0.1:$PORT" --config.file="$WORK/c.yaml" \
  > /dev/null 2> "$WORK/err" < /dev/null &
DAEMON=$!
track $DAEMON
poll 30 answers /-/ready || fail "not ready after 30 s"

# Every reload has many errors to tell; together they are more than a pipe holds.
for i in $(seq 20); do echo "unknown_$i: 1"; done > "$WORK/c.yaml"
for _ in $(seq 200); do
  kill -s HUP "$DAEMON"
  answers /-/healthy || fail "it does not answer any more"
  if grep -q pipe_write /proc/"$DAEMON"/task/*/wchan; then held_up=yes; fi
done
[ "${held_up:-}" = yes ] || fail "the log was never held up, so this shows nothing"
scrape
expect "procvitals_target_up" "$(value procvitals_target_up target=app)" == 1
stop "$DAEMON" || fail "SIGTERM does not end it"
