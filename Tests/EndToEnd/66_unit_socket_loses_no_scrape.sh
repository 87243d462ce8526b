# Behind the socket unit a restart of the daemon loses no scrape, nor do nine reloads at once, and
# both keep the port.
. "$(dirname "$0")/lib.sh"
. "$HERE/box.sh"
mkdir "$WORK/out"
box_with_unit "$WORK/out:/opt/out"
configure 'targets:\n  - {name: first, pid: 1}'
echo "ARGS=--web.systemd-socket" | box tee /etc/default/procvitals > /dev/null
box systemctl start procvitals.socket || fail "the socket unit does not start"
start_unit

# Two clients, each on a new connection for each scrape, one after the other.
scraper() {
  box bash -c 'while [ ! -e /opt/out/enough ]; do
    curl -sS -m 20 -o /dev/null -w "%{http_code} %{size_download}\n" \
      http://127.0.0.1:9656/metrics 2>&1
  done' > "$WORK/scrapes.$1" 2> /dev/null
}
for client in 1 2; do
  scraper $client &
  scrapers+=("$!")
  track "$!"
done
scraped() { [ "$(cat "$WORK"/scrapes.* | grep -c .)" -ge "$1" ]; }
more() { poll 20 scraped $(($(cat "$WORK"/scrapes.* | grep -c .) + $1)) || fail "scrapes stand still"; }

more 4
for turn in 1 2 3; do
  before=$(show MainPID)
  box systemctl restart procvitals || fail "restart $turn: $(journal)"
  [ "$(show MainPID)" != "$before" ] || fail "restart $turn started nothing"
  more 4
done
main=$(show MainPID)
# Signals of the same kind melt together; what counts is that the last one's configuration holds.
for turn in 1 2 3 4 5 6 7 8 9; do
  [ $turn -lt 9 ] || configure 'targets:\n  - {name: last, pid: 1}'
  box kill -s HUP "$main"
done
taken() { page && [ "$(value procvitals_target_up target=last)" = 1 ]; }
poll 10 taken || fail "the last of nine SIGHUPs was lost: $(journal)"
box timeout 20 systemctl reload procvitals || fail "reload after them: $(journal)"
more 4
is ActiveState active "after nine SIGHUPs"
is MainPID "$main" "after nine SIGHUPs"
is NRestarts 0 "in the end"

touch "$WORK/out/enough"
for scraper in "${scrapers[@]}"; do poll 20 gone "$scraper" || fail "a scrape hangs"; done
failed=$(cat "$WORK"/scrapes.* | grep -vc '^200 [1-9][0-9][0-9]')
expect "failed scrapes of $(cat "$WORK"/scrapes.* | grep -c .): $(cat "$WORK"/scrapes.* | sort | uniq -c)" \
  "$failed" == 0
