# A reader of standard error that does not read holds up neither requests nor collections.
. "$(dirname "$0")/lib.sh"

mkfifo "$WORK/err"
exec 5<> "$WORK/err" # held open, never read
PORT=$(free_port)
URL=http://127.0.0.1:$PORT
"$PROCVITALS" --web.listen-address="127.0.0.1:$PORT" --target=app=pid:$$ \
  --log.level=debug > /dev/null 2> "$WORK/err" < /dev/null &
DAEMON=$!
track $DAEMON
poll 30 answers /-/ready || fail "not ready after 30 s"
# Each reload and each page may say something; more than a pipe holds.
for _ in $(seq 3000); do kill -s HUP "$DAEMON"; done
held_up() { grep -q pipe_write /proc/"$DAEMON"/task/*/wchan; }
for _ in $(seq 100); do
  answers /-/healthy || fail "it does not answer any more"
  for _ in $(seq 50); do kill -s HUP "$DAEMON"; done
  if held_up; then break; fi
done
held_up || fail "the log was never held up, so this shows nothing"
scrape
expect "procvitals_target_up" "$(value procvitals_target_up target=app)" == 1
stop "$DAEMON" || fail "SIGTERM does not end it"
