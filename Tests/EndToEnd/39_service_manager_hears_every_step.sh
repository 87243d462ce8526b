# The service manager hears where the daemon is, in an order it understands: also when a reload comes
# during the first collection, when the configuration is bad, and when reloads overlap.
. "$(dirname "$0")/lib.sh"
need python3

fixture_system
fixture_process 4242 stuck
cp "$WORK/proc/4242/stat" "$WORK/stat"
rm "$WORK/proc/4242/stat"
mkfifo -m 644 "$WORK/proc/4242/stat" # opening it waits for a writer
python3 - "$PROCVITALS" "$WORK" "$(free_port)" <<'PYTHON' || fail "see above"
import os, select, signal, socket, subprocess, sys, time
program, work, port = sys.argv[1:]
config = f"{work}/c.yaml"
manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
manager.bind(f"{work}/notify")
log = open(f"{work}/log", "w")

def configure(text):
    with open(f"{config}.new", "w") as file:
        file.write(text)
    os.rename(f"{config}.new", config)

good = "targets:\n- {name: stuck, pid: 4242}\n- {name: away, pid: 4243}\n"
configure(good)
environment = {**os.environ, "NOTIFY_SOCKET": f"{work}/notify", "WATCHDOG_USEC": "1000000"}
environment.pop("WATCHDOG_PID", None)
daemon = subprocess.Popen(
    [program, f"--config.file={config}", f"--path.procfs={work}/proc",
     f"--web.listen-address=127.0.0.1:{port}"], env=environment, stderr=log)
heard = []

def hear(what, patience=30):
    """Waits for a message that begins so; all that come before are kept in `heard`."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        if select.select([manager], [], [], 0.1)[0]:
            message = manager.recv(65536).decode()
            if message != "WATCHDOG=1":
                heard.append(message)
            if message.startswith(what):
                return message
    sys.exit(f"no {what} came, but {heard}")

def expect(*expected):
    kinds = [message.split("=")[0] for message in heard]
    if kinds != list(expected):
        sys.exit(f"expected {expected}, heard {heard}")
    heard.clear()

def told(text):
    return text in open(f"{work}/log").read()

def until(condition, what):
    end = time.monotonic() + 30
    while not condition():
        if time.monotonic() > end:
            sys.exit(f"{what}; heard {heard}; log: {open(work + '/log').read()}")
        time.sleep(0.02)

try:
    # The first collection waits; a reload meanwhile is done, but nobody is told of it.
    hear("EXTEND_TIMEOUT_USEC")
    for _ in range(3):
        hear("WATCHDOG=1")
    daemon.send_signal(signal.SIGHUP)
    until(lambda: told("configuration reloaded"), "no reload during the first collection")
    hear("WATCHDOG=1")
    expect("STATUS", "EXTEND_TIMEOUT_USEC")
    os.rename(f"{work}/proc/4242/stat", f"{work}/fifo")
    os.rename(f"{work}/stat", f"{work}/proc/4242/stat")
    os.close(os.open(f"{work}/fifo", os.O_WRONLY)) # whoever waits finds it empty
    ready = hear("READY=1")
    expect("READY")
    assert "\nSTATUS=" in ready and "of 2 targets up" in ready and "away" in ready, ready

    def reload(text):
        configure(text)
        before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        daemon.send_signal(signal.SIGHUP)
        begun = hear("RELOADING=1\nMONOTONIC_USEC=")
        now = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        assert before <= int(begun.split("=")[2]) <= now, begun
        end = hear("READY=1\nSTATUS=")
        expect("RELOADING", "READY")
        return end

    assert "the new configuration has errors" in reload("targets: nonsense\n")
    assert "errors" not in reload(good)

    # Nine in a row: those that come while the file is read share the next reading, and the end is told
    # once none is left.
    configure("targets: nonsense\n")
    for _ in range(9):
        daemon.send_signal(signal.SIGHUP)
        time.sleep(0.0005)
    while "errors" not in hear("READY=1"):
        pass
    configure(good)
    daemon.send_signal(signal.SIGHUP)
    while "errors" in hear("READY=1"):
        pass
    # One of them may still be under way, which is not told to have ended once the end is told.
    daemon.send_signal(signal.SIGTERM)
    daemon.send_signal(signal.SIGTERM)
    assert "\nSTATUS=" in hear("STOPPING=1")
    assert daemon.wait(30) == 0
    kinds = [message.split("=")[0] for message in heard]
    assert len(kinds) >= 5 and kinds.pop() == "STOPPING", heard
    steps = [kind for kind in kinds if kind != "STATUS"]
    assert steps[0] == "RELOADING" and set(steps) == {"RELOADING", "READY"}, heard
    assert ("READY", "READY") not in zip(steps, steps[1:]), heard
    while select.select([manager], [], [], 0)[0]:
        message = manager.recv(65536)
        assert message == b"WATCHDOG=1", message
finally:
    daemon.kill()
    daemon.wait()
PYTHON
