# Whatever is wrong with a pid file: target_up 0, a reason on the page, one log line, no harm.
. "$(dirname "$0")/lib.sh"
need_root
need setpriv

mkdir "$WORK/pids"
cd "$WORK/pids" || exit 1
: > empty
echo "not a number" > garbage
head -c 1000000 /dev/zero | tr '\0' 1 > huge
echo 99999999999999999999 > overflow
echo -1 > negative
mkfifo fifo
mkdir directory
ln -s loop loop
echo 1 > unreadable
chmod 0600 unreadable
sleep 1000 &
ended=$!
kill $ended
wait $ended 2>/dev/null
echo $ended > ended
sleep 1000 &
track $!
printf '  %s \n\n' $! > good
cases="missing empty garbage huge overflow negative fifo directory loop unreadable ended"

{
  echo "targets:"
  for case in $cases good; do echo "  - {name: $case, pid_file: $WORK/pids/$case}"; done
} > "$WORK/c.yaml"
chmod 644 "$WORK/c.yaml"
PREFIX=(setpriv --reuid=65534 --regid=65534 --clear-groups)
start --config.file="$WORK/c.yaml"
for _ in 1 2 3; do scrape; done

for case in $cases; do
  expect "procvitals_target_up of $case" "$(value procvitals_target_up target=$case)" == 0
  expect "procvitals_target_processes of $case" "$(value procvitals_target_processes target=$case)" == 0
  lines=$(grep -c "target=\"\?$case\b" "$LOG")
  expect "log lines about $case" "$lines" == 1
  [ "$case" = ended ] || [ "$case" = missing ] ||
    series procvitals_unreadable_total target=$case | grep -q reason= ||
    fail "no procvitals_unreadable_total{target=\"$case\",reason=…}"
done
expect "procvitals_target_up of good" "$(value procvitals_target_up target=good)" == 1

# What gets well comes back without a restart.
cat good > empty
back() { scrape; [ "$(value procvitals_target_up target=empty)" = 1 ]; }
poll 15 back || fail "a pid file that was filled later is not taken up"
