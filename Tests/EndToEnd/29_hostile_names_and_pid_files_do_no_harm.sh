# Whatever processes call themselves, and whatever somebody makes of a pid file: the page parses,
# a log entry is a line, each process is where it belongs, and what is refused has a reason.
. "$(dirname "$0")/lib.sh"
need_root
need promtool setpriv

# hostile DIRECTORY NAME ARGUMENT...: runs sleep under a name, relative to $WORK; names are Python's
# escapes. Sets HOSTILE to its pid.
hostile() {
  python3 - "$WORK" "$@" <<'PYTHON' &
import os, shutil, sys
work, directory, name, *arguments = [os.fsencode(argument) for argument in sys.argv[1:]]
name = name.decode("unicode_escape").encode("latin-1")
os.makedirs(work + b"/" + directory, exist_ok=True)
path = work + b"/" + directory + b"/" + name
shutil.copy("/bin/sleep", path)
if arguments == [b"long"]:
    words = [path, b"1000"] + [b"0" * 100000] * 11
elif arguments == [b"words"]:
    words = [b'ar"g\\0\n\xff\x1b[2J', b"1000"]
else:
    words = [path, b"1000"]
os.execve(path, words, {b"HOSTILE": b'a\nb"\\\xff', b"=": b"", b"NAMELESS": b""})
PYTHON
  HOSTILE=$!
  track $HOSTILE
  poll 30 runs $HOSTILE "$1" || fail "$1/$2 did not start"
}
runs() { [ "$(readlink "/proc/$1/exe" | head -c ${#WORK})" = "$WORK" ]; }

# NAME GLOB, as Python writes it and as the configuration does.
names=(
  'nl\nevil 1' 'nl?evil 1'
  'q"uo"te\\' 'q"uo"te\'
  '\x1b[31mred\x07' '?[31mred?'
  '\xff\xfe\xc3(' '???('
  '\x01\x02\t\r\x7f' '?????'
  ') S 1 1 (' ') S 1 1 ('
  'x"} 1\nup{a="' 'x"} 1?up{a="'
  '${env.HOME}$$' '${env.HOME}$$'
  '*?[]' '??[]'
  ' ' ' '
)
{
  echo "targets:"
  for ((i = 0; i < ${#names[@]}; i += 2)); do
    glob=${names[i + 1]//\'/\'\'}
    echo "  - {name: case$i, process_name: '$glob', exe: '$WORK/a/*'}"
  done
  echo "  - {name: 'tpl-\${comm}', exe: '$WORK/b/*', labels: {program: '\${exe}', word: '\${argv0}'}}"
  echo "  - {name: long, cmdline: '^\\S+ 1000 (?<zeros>0{10})', exe: '$WORK/c/*', labels: {zeros: '\${zeros}'}}"
  echo "  - {name: env, environment: 'HOSTILE=a?b*', exe: '$WORK/d/*', labels: {value: '\${env.HOSTILE}'}}"
  echo "allowed_environment: [HOSTILE]"
} > "$WORK/c.yaml"
for ((i = 0; i < ${#names[@]}; i += 2)); do
  hostile a "${names[i]}"
  hostile b "${names[i]}" words
done
hostile c long long
hostile d env

# Pid files of every kind: NAME and the reason for which it does not count.
mkdir "$WORK/conf.d" "$WORK/pids" "$WORK/open"
cd "$WORK/pids" || exit 1
sleep 1000 &
good=$!
track $good
setpriv --reuid=65534 --regid=65534 --clear-groups sleep 1000 &
foreign=$!
track $foreign
printf '%s junk\n' $good > junk
printf '\n%s\n' $good > behind
printf '\xef\xbb\xbf%s\n' $good > bom
printf '\x7fELF\x02\x01\x01\0\0' > binary
printf '0\n' > zero
printf -- '-1\n' > negative
printf '4194305\n' > large
printf '%s\r\n' $good > crlf
truncate -s 1T sparse
mkfifo fifo
mkdir directory
ln -s loop loop
ln -s /dev/zero device
ln -s /proc/self/mem memory
python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("socket")'
sleep 1000 &
track $!
echo $! > world
chmod 666 world
echo $good > group
chmod 664 group
chgrp 65534 group
echo $good > owner
chown 65534 owner
echo $foreign > theirs
chown 65534:65534 theirs
chmod 664 theirs
echo $good > "$WORK/open/place"
chmod 777 "$WORK/open"
ln -s "$WORK/open/place" place
ln -s crlf link
chown -h 65534 link
sleep 1000 &
track $!
echo $! > trusted
chmod 666 trusted
cases="junk:malformed behind:malformed bom:malformed binary:malformed zero:malformed
  negative:malformed large:malformed sparse:too_large fifo:irregular directory:irregular
  loop:failed device:irregular memory:failed socket:irregular world:untrusted group:untrusted
  owner:untrusted place:untrusted link:untrusted crlf: theirs: trusted:"
{
  echo "targets:"
  for case in $cases; do
    trust=false
    [ "$case" = trusted: ] && trust=true
    echo "  - {name: ${case%:*}, pid_file: $WORK/pids/${case%:*}, trust_pid_file: $trust}"
  done
} > "$WORK/conf.d/pids.yaml"

"$PROCVITALS" check --config.file="$WORK/c.yaml" > "$WORK/check" || fail "check: $(cat "$WORK/check")"
grep -q "^read $WORK/conf.d/pids.yaml$" "$WORK/check" || fail "check does not name conf.d"
start --config.file="$WORK/c.yaml"
for _ in 1 2 3; do scrape; done

# The page.
promtool check metrics < "$WORK/page" > "$WORK/lint" 2>&1 || fail "promtool: $(cat "$WORK/lint")"
curl -sf "$URL/api/v1/targets" > "$WORK/targets" || fail "no /api/v1/targets"
curl -sf "$URL/sd" > "$WORK/sd" || fail "no /sd"
python3 - "$WORK" "$PORT" "${names[@]}" <<'PYTHON' || fail "the page is not what was expected"
import json, os, re, sys, urllib.parse, urllib.request
work, port, names = sys.argv[1], sys.argv[2], sys.argv[3::2]
page = open(work + "/page", "rb").read().decode("utf-8")
label = r'[a-zA-Z_]\w*="(?:[^"\\\n]|\\[\\"n])*"'
sample = re.compile(r"[a-zA-Z_:][\w:]*(?:\{%s(?:,%s)*\})? [-+0-9.eEInfNa]+" % (label, label))
for line in page.split("\n")[:-1]:
    assert line.startswith("# ") or sample.fullmatch(line), repr(line)

def unescaped(text):
    return re.sub(r"\\(.)", lambda found: {"n": "\n"}.get(found[1], found[1]), text)

found = {}
for line in page.split("\n"):
    if line.startswith("procvitals_target_processes{"):
        labels = {k: unescaped(v) for k, v in re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', line)}
        found[labels["target"]] = (labels, float(line.rsplit(" ", 1)[1]))
for place, name in enumerate(names):
    raw = name.encode().decode("unicode_escape").encode("latin-1")
    comm = raw[:15].decode("utf-8", "replace")
    assert found["case%d" % (2 * place)][1] == 1, (name, found)
    labels, count = found["tpl-" + comm]
    assert count == 1, (name, count)
    assert labels["program"] == work + "/b/" + raw.decode("utf-8", "replace"), labels
    assert labels["word"] == 'ar"g\\0\n\ufffd\x1b[2J', labels
    answer = urllib.request.urlopen(
        "http://127.0.0.1:%s/probe?target=%s" % (port, urllib.parse.quote("tpl-" + comm)))
    assert answer.status == 200 and b"process_start_time_seconds" in answer.read()
assert found["long"][1] == 1 and found["long"][0]["zeros"] == "0" * 10, found["long"]
assert found["env"][1] == 1 and found["env"][0]["value"] == 'a\nb"\\\ufffd', found["env"]
json.load(open(work + "/targets"))
json.load(open(work + "/sd"))
PYTHON

# The log: a line is an entry, whatever is in it.
python3 - "$LOG" <<'PYTHON' || fail "the log is not one line an entry"
import sys
for line in open(sys.argv[1], "rb").read().split(b"\n")[:-1]:
    assert line.startswith(b"ts=20"), line
    assert all(byte >= 0x20 and byte != 0x7f for byte in line), line
    line.decode("utf-8")
PYTHON

# The pid files.
for case in $cases; do
  name=${case%:*} reason=${case#*:}
  expect "target_up of $name" "$(value procvitals_target_up target=$name)" == $([ -n "$reason" ]; echo $?)
  [ -n "$reason" ] || continue
  expect "reads of $name that failed as $reason" \
    "$(value procvitals_unreadable_total target=$name source=pid_file reason=$reason)" ">=" 3
  expect "log lines about $name" "$(grep -c "target=\"\?$name\b" "$LOG")" == 1
done
grep -q 'world.*written by everyone; chmod o-w it, or set trust_pid_file: true' "$LOG" ||
  fail "the log does not say what to do"

# What the log asks for helps.
chmod 644 world
back() { scrape; [ "$(value procvitals_target_up target=world)" = 1 ]; }
poll 15 back || fail "a pid file that was made safe is not taken up"
