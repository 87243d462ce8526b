"""What 21_…, 22_… and 23_… share: the load program, pages, and a reader of /proc that has nothing in
common with procvitals'."""

import glob
import json
import os
import re
import signal
import stat as modes
import subprocess
import sys
import time
import urllib.request

TICK = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
GONE = (FileNotFoundError, ProcessLookupError)

# No script lasts longer, whatever hangs.
signal.alarm(250)


class Load:
    """A running load program, see Tests/Load."""

    def __init__(self, program, *before, directory=None):
        self.process = subprocess.Popen(
            [*before, program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=directory or os.path.dirname(program),
            text=True,
        )
        words = self.process.stdout.readline().split()
        if words[:1] != ["ready"]:
            sys.exit(f"FAILED: {program} said {words} instead of ready")
        self.pid = int(words[1])

    def tell(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()

    def hear(self):
        """The facts of the next answer."""
        line = self.process.stdout.readline()
        words = line.split()
        if words[:1] == ["ready"]:
            return {}
        if words[:1] != ["done"]:
            sys.exit(f"FAILED: the load program said {line!r} instead of done")
        return {
            key: float(value) if "." in value else int(value)
            for key, value in (word.split("=") for word in words[1:])
        }

    def do(self, command):
        self.tell(command)
        return self.hear()

    def join(self, groups):
        """Moves it into the control groups that a directory links to."""
        for procs in glob.glob(groups + "/*/cgroup.procs"):
            with open(procs, "w") as file:
                file.write(str(self.pid))

    def end(self, command=None):
        """Ends it; its wait status and what it used."""
        if command:
            self.tell(command)
        self.process.stdin.close()
        _, status, usage = os.wait4(self.pid, 0)
        self.process.returncode = status
        return status, usage


class Page:
    """One scrape."""

    def __init__(self, url=None, text=None):
        if text is None:
            with urllib.request.urlopen(url + "/metrics", timeout=30) as answer:
                text = answer.read().decode()
        self.text = text
        self.types = dict(re.findall(r"^# TYPE (\S+) (\S+)$", self.text, re.M))
        self.samples = {}
        for line in self.text.splitlines():
            found = re.match(r"([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$", line)
            if found:
                labels = re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', found[2] or "")
                self.samples[found[1], tuple(labels)] = float(found[3])

    def family(self, name, target):
        """Labels without `target`, sorted -> value."""
        return {
            tuple(sorted(pair for pair in labels if pair[0] != "target")): value
            for (family, labels), value in self.samples.items()
            if family == name and ("target", target) in labels
        }

    def value(self, name, target, **labels):
        """The sum of the series with at least these labels; None if there is none."""
        found = [
            value
            for key, value in self.family(name, target).items()
            if all(pair in key for pair in labels.items())
        ]
        return sum(found) if found else None

    def families(self, target):
        return {name for name, labels in self.samples if ("target", target) in labels}

    def is_counter(self, name):
        return self.types.get(name) == "counter"


def catalogue(program):
    """The reference that procvitals prints: name -> row."""
    text = subprocess.run(
        [program, "metrics", "--format=json"], capture_output=True, check=True, text=True
    ).stdout
    return {row["name"]: row for row in json.loads(text)}


def text(path):
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        return file.read()


class Process:
    """The kernel's figures of one process, read when asked for."""

    def __init__(self, pid):
        self.pid = pid
        self.path = f"/proc/{pid}"

    def stat(self, *fields, of=""):
        """The sum of fields of `stat`, counted from 1 as in proc_pid_stat(5)."""
        line = text(f"{self.path}{of}/stat")
        values = [None, None, None] + line[line.rindex(")") + 2 :].split()
        return sum(int(values[field]) for field in fields)

    def state(self, of=""):
        line = text(f"{self.path}{of}/stat")
        return line[line.rindex(")") + 2]

    def status(self, name, of=""):
        """A number of `status`; bytes where the kernel says kB."""
        found = re.search(rf"^{name}:\s+(\d+)( kB)?", text(f"{self.path}{of}/status"), re.M)
        return int(found[1]) * (1024 if found[2] else 1) if found else None

    def io(self, name, of=""):
        return int(re.search(rf"^{name}: (\d+)", text(f"{self.path}{of}/io"), re.M)[1])

    def limits(self):
        """Name -> soft, hard; None where unlimited."""
        rows = re.findall(r"^(Max [a-z ]+?)\s{2,}(\S+)\s+(\S+)", text(self.path + "/limits"), re.M)
        number = lambda word: None if word == "unlimited" else int(word)
        return {name: (number(soft), number(hard)) for name, soft, hard in rows}

    def descriptors(self):
        """Where each descriptor points, and the mode of what is there."""
        found = []
        for path in glob.glob(self.path + "/fd/*"):
            try:
                found.append((os.readlink(path), os.stat(path).st_mode))
            except OSError:
                pass
        return found

    def descriptor_kinds(self):
        kinds = {}
        for link, mode in self.descriptors():
            anonymous = re.match(r"anon_inode:\[?(\w+)", link)
            if link.startswith("/memfd:"):
                kind = "memfd"
            elif anonymous:
                kind = anonymous[1]
            elif link.startswith("pidfd:"):
                kind = "pidfd"
            else:
                kind = next(
                    (
                        name
                        for name, test in [
                            ("file", modes.S_ISREG),
                            ("directory", modes.S_ISDIR),
                            ("socket", modes.S_ISSOCK),
                            ("pipe", modes.S_ISFIFO),
                            ("device", modes.S_ISCHR),
                        ]
                        if test(mode)
                    ),
                    "other",
                )
            kinds[kind] = kinds.get(kind, 0) + 1
        return kinds

    def socket_inodes(self):
        found = (re.match(r"socket:\[(\d+)\]", link) for link, _ in self.descriptors())
        return {int(match[1]) for match in found if match}

    def threads(self):
        return [f"/task/{name}" for name in os.listdir(self.path + "/task")]

    def over_threads(self, number):
        """The sum of a number over the threads that are there."""
        total = 0
        for thread in self.threads():
            try:
                total += number(thread)
            except GONE:
                pass
        return total

    def count_threads(self, key):
        counts = {}
        for thread in self.threads():
            try:
                name = key(thread)
            except GONE:
                continue
            counts[name] = counts.get(name, 0) + 1
        return counts

    def cpu_clock(self):
        """Seconds of CPU, exactly, those of ended threads included."""
        return time.clock_gettime_ns(~self.pid << 3 | 2) / 1e9

    def schedstat(self, place):
        return self.over_threads(lambda t: int(text(f"{self.path}{t}/schedstat").split()[place]))

    def maps(self):
        return text(self.path + "/maps").count("\n")

    def rollup(self, *names):
        lines = text(self.path + "/smaps_rollup")
        return sum(int(re.search(rf"^{name}:\s+(\d+) kB", lines, re.M)[1]) for name in names) << 10

    def net(self, column):
        """A number of the IpExt lines of the network namespace."""
        lines = re.findall(r"^IpExt: (.*)$", text(self.path + "/net/netstat"), re.M)
        return int(dict(zip(lines[0].split(), lines[1].split()))[column])

    def start(self):
        boot = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
        return boot + self.stat(22) / TICK


TCP_STATES = {
    1: "established", 2: "syn_sent", 3: "syn_recv", 4: "fin_wait1", 5: "fin_wait2",
    6: "time_wait", 7: "close", 8: "close_wait", 9: "last_ack", 10: "listen", 11: "closing",
}  # fmt: skip


def sockets(process):
    """protocol, state -> how many of the process' sockets, from the tables in /proc/PID/net."""
    own = process.socket_inodes()
    counts = {}
    for protocol in ["tcp", "tcp6", "udp", "udp6"]:
        for line in text(f"{process.path}/net/{protocol}").splitlines()[1:]:
            words = line.split()
            if int(words[9]) in own:
                key = protocol, TCP_STATES[int(words[3], 16)]
                counts[key] = counts.get(key, 0) + 1
    for line in text(process.path + "/net/unix").splitlines()[1:]:
        words = line.split()
        if int(words[6]) in own:
            listens = int(words[3], 16) & 0x10000
            state = "listen" if listens else {1: "close", 3: "established"}[int(words[5])]
            counts["unix", state] = counts.get(("unix", state), 0) + 1
    return counts


def listeners(process):
    """address -> length of the accept queue, of the process' TCP listeners."""
    own = process.socket_inodes()
    found = {}
    for line in text(process.path + "/net/tcp").splitlines()[1:]:
        words = line.split()
        if int(words[9]) in own and words[3] == "0A":
            address, port = words[1].split(":")
            dotted = ".".join(str(byte) for byte in reversed(bytes.fromhex(address)))
            found[f"{dotted}:{int(port, 16)}"] = int(words[4].split(":")[1], 16)
    return found


def cgroup_files(pid):
    """Directories of the process' control groups: controller or "" for version 2 -> path, and for
    the version 1 ones and version 2 alike the root of that hierarchy."""
    mounts = {}
    for line in text("/proc/self/mountinfo").splitlines():
        left, right = line.split(" - ")
        kind, _, options = right.split()[:3]
        if kind in ("cgroup", "cgroup2"):
            root, point = left.split()[3:5]
            names = [""] if kind == "cgroup2" else options.split(",")
            for name in names:
                mounts.setdefault(name, (root, point))
    found = {}
    for line in text(f"/proc/{pid}/cgroup").splitlines():
        _, names, path = line.split(":", 2)
        for name in names.split(","):
            if name in mounts:
                root, point = mounts[name]
                below = path[len(root) :] if root != "/" and path.startswith(root) else path
                found[name] = (point + "/" + below.strip("/")).rstrip("/"), point
    return found
