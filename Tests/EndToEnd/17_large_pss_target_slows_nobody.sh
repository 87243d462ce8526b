# The proportional memory of a target with 4 GiB does not slow the scrapes of others: what takes
# long is read beside them, is served when it is there, with its age, and is what the kernel says.
. "$(dirname "$0")/lib.sh"
need python3 gcc
free=$(awk '/^MemAvailable/ { print int($2 / 1048576) }' /proc/meminfo)
[ "$free" -ge 8 ] || skip "needs 8 GiB of free memory, this machine has $free"

vitals
SMALL=$VITALS
(
  # Small pages, so that there is much to walk.
  exec python3 - <<'PYTHON'
import mmap, time
memory = mmap.mmap(-1, 4 << 30, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
memory.madvise(mmap.MADV_NOHUGEPAGE)
for place in range(0, 4 << 30, 4096):
    memory[place] = 1
time.sleep(1000)
PYTHON
) &
LARGE=$!
track $LARGE
resident() { [ "$(awk '/^VmRSS/ { print int($2 / 1024) }' /proc/$LARGE/status)" -ge 4096 ]; }
poll 120 resident || fail "the large process does not get its memory"

# config GROUPS: what is collected of both.
config() {
  cat > "$WORK/config.yaml" <<YAML
defaults: {collect: [$1]}
targets:
  - {name: large, pid: $LARGE}
  - {name: small, pid: $SMALL}
YAML
}
# measure: how long a scrape takes, in microseconds, the median of many.
measure() {
  for _ in $(seq 31); do
    curl -s -m 30 -o "$WORK/page" -w '%{time_total}\n' "$URL/metrics"
  done | sort -n | sed -n 16p | awk '{ print int($1 * 1000000) }'
}
config default
start --config.file="$WORK/config.yaml"
measure > /dev/null
without=$(measure)
config "default, pss"
kill -s HUP "$DAEMON"
has_pss() { scrape && value process_proportional_memory_bytes target=small; }
poll 30 has_pss || fail "the small target has no proportional memory"
# Scrapes come while the large one is read: the small one is read anew for each of them, the large
# one's value gets older.
with=$(measure)
one_read=$(python3 -c "
import time
start = time.monotonic()
open('/proc/$LARGE/smaps_rollup').read()
print(int((time.monotonic() - start) * 1000000))")
echo "scrapes take $without us without and $with us with proportional memory; one read of the large target takes $one_read us" >&2
expect "what proportional memory adds to a scrape, compared with a read of the large target" \
  "$with - $without" "<" "$one_read / 3"

has_large() { scrape && value process_proportional_memory_bytes target=large; }
poll 60 has_large || fail "the large target gets no proportional memory"
kernel() { awk -v key="$1:" '$1 == key { print $2 * 1024 }' "/proc/$2/smaps_rollup"; }
near "proportional memory of the large target" \
  "$(value process_proportional_memory_bytes target=large)" "$(kernel Pss $LARGE)" 16777216
near "unique memory of the large target" "$(value process_unique_memory_bytes target=large)" \
  "$(kernel Private_Clean $LARGE) + $(kernel Private_Dirty $LARGE)" 16777216
near "proportional memory of the small target" \
  "$(value process_proportional_memory_bytes target=small)" "$(kernel Pss $SMALL)" 262144
age=$(value process_proportional_memory_age_seconds target=large)
expect "age of the large target's value" "$age" ">" \
  "$(value process_proportional_memory_age_seconds target=small)"
# The value is taken anew when it is the process' turn again.
younger() { scrape && awk "BEGIN { exit !($(value process_proportional_memory_age_seconds target=large) < $age) }"; }
poll 60 younger || fail "the large target's value is never read anew"
expect "late reads" "$(series procvitals_unreadable_total source=smaps_rollup target=large | grep -c .)" == 0
