# systemctl reload takes a good configuration, refuses a bad one, and returns when that is done; counters
# and connections outlive it.
. "$(dirname "$0")/lib.sh"
. "$HERE/box.sh"
box_with_unit

configure 'targets:\n  - {name: first, pid: 1}'
start_unit
main=$(show MainPID)
configure 'targets:\n  - {name: second, pid: 1}'
box timeout 20 systemctl reload procvitals || fail "reload: $(journal)"
page || fail "no page after a reload: $(journal)"
expect "target_up of the new target" "$(value procvitals_target_up target=second)" == 1
[ -z "$(series procvitals_target_up target=first)" ] || fail "the old target is still there"

# A configuration that takes a while to read, and a daemon that is slow to hear of it: whoever asks once
# reload has returned, over the connection that was there before, gets what was loaded.
box env MAIN="$main" python3 - <<'PYTHON' || fail "see above: $(journal)"
import http.client, os, re, signal, subprocess, sys, time

main = int(os.environ["MAIN"])
made = http.client.HTTPConnection("127.0.0.1", 9656, timeout=30)
made.connect()
made.auto_open = 0  # a connection that is lost is not opened anew behind our back


def page():
    made.request("GET", "/metrics")
    text = made.getresponse().read().decode()
    kinds = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.M))
    samples = dict(re.findall(r"^(\w+\{.*\}|\w+) (\S+)$", text, re.M))
    return samples, {s: float(v) for s, v in samples.items() if kinds.get(s.split("{")[0]) == "counter"}


def is_pending():
    status = open(f"/proc/{main}/status").read()
    return int(re.search(r"^ShdPnd:\s*(\w+)", status, re.M)[1], 16) & 1 << signal.SIGHUP - 1


last = page()[1]
if not any('target="second"' in series for series in last):
    sys.exit("no counters")
for round in range(3):
    with open("/etc/procvitals/procvitals.yaml", "w") as file:
        file.write(f"targets:\n- {{name: second, pid: 1}}\n- {{name: round{round}, pid: 1}}\n")
        nobody = ", ".join(f"{{user: x{n}, process_name: y{n}}}" for n in range(64))
        for spare in range(600):
            file.write(f"- {{name: spare{spare}, pid: 4194304, exclude: [{nobody}]}}\n")
    os.kill(main, signal.SIGSTOP)
    reload = subprocess.Popen(["systemctl", "reload", "procvitals"])
    while not is_pending():
        time.sleep(0.01)
    # Who does not wait for the daemon has a chance to return.
    try:
        sys.exit(f"reload returned {reload.wait(1)} before the daemon could hear of it")
    except subprocess.TimeoutExpired:
        os.kill(main, signal.SIGCONT)
    if reload.wait(30) != 0:
        sys.exit("reload fails")
    samples, counters = page()
    if f'procvitals_target_up{{target="round{round}"}}' not in samples:
        sys.exit("reload returned before the configuration was loaded")
    for series, value in last.items():
        if 'target="round' not in series and counters.get(series, 0) < value:
            sys.exit(f"{series} fell from {value} to {counters.get(series)}")
    last = counters
PYTHON
configure 'targets:\n  - {name: second, pid: 1}'
box timeout 20 systemctl reload procvitals || fail "reload: $(journal)"

configure 'targets: nonsense'
box timeout 20 systemctl reload procvitals
page || fail "no page after a bad reload: $(journal)"
expect "success of a bad reload" "$(value procvitals_config_last_reload_successful)" == 0
is ActiveState active "after a bad reload"
expect "target_up after a bad reload" "$(value procvitals_target_up target=second)" == 1
journal -p err..warning | grep -q 'procvitals.yaml:1:' ||
  fail "the journal does not say, as an error or a warning, what is wrong: $(journal -o short-full)"
[ "$(show MainPID)" = "$main" ] || fail "reload started another process"
