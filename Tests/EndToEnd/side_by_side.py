"""side_by_side.py PROCVITALS DIRECTORY PORT PORT: process-exporter and procvitals over the same
processes, with the same configuration, family by family.

DIRECTORY has the programs load (Tests/Load) and sleep. Processes are started before the exporters
and do nothing while they are looked at, so that both must say the same.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request

program, directory, their_port, our_port = sys.argv[1:5]
mark = re.sub(r"\W", "", directory[-6:])  # nobody else's processes have it
PREFIX = "namedprocess_namegroup_"
failures = []
started = []

# Where the two differ, and why. A difference that is not here fails.
DIFFERENCES = {
    "states": "process-exporter counts the first thread of a process with several twice",
    "threads_wchan": "the same thread, for the same reason",
    "thread_": "process-exporter drops threads by name when a process falls to a single one, so it "
               "leaves out processes with one thread; what is left out there is on this page",
    "memory_bytes resident": "process-exporter reads it from stat, where the kernel has it "
                             "inexactly, by up to 64 pages for each CPU",
    "memory_bytes proportional": "other processes that come and go take a share of common pages",
    "oldest_start_time_seconds": "process-exporter cuts off what is less than a second, twice",
    "StartTime": "the same, in names that have the start time",
    "absent": "process-exporter does not show a group before its first process",
    "empty": "process-exporter shows 0, and the year 1, for what a group without processes has not",
    "ended threads": "process-exporter forgets the context switches of threads that ended",
}
seen = set()


def fail(what):
    failures.append(what)
    print("wrong:  ", what)


def differs(key):
    seen.add(key)
    return DIFFERENCES[key]


def start(*arguments, name=None, **options):
    """A process; with a name, that is the first word of its command line."""
    process = subprocess.Popen(
        [name or arguments[0], *arguments[1:]], executable=arguments[0],
        stdin=options.pop("stdin", subprocess.DEVNULL), **options)
    started.append(process)
    return process


class Load:
    """The load program under a process name of its own, which obeys."""

    def __init__(self, comm, name=None, user=None):
        path = f"{directory}/{comm}"
        shutil.copy(f"{directory}/load", path)
        command = [path] if user is None else [
            shutil.which("setpriv"), f"--reuid={user}", f"--regid={user}", "--clear-groups", path]
        self.process = start(
            *command, name=name, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            cwd="/var/tmp")
        self.process.stdout.readline()

    def __call__(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline().startswith("done"), command


def sleeper(comm, *arguments, name=None):
    shutil.copy(f"{directory}/sleep", f"{directory}/{comm}")
    return start(f"{directory}/{comm}", *arguments, name=name)


def poll(what, seconds, condition):
    end = time.monotonic() + seconds
    while True:
        try:
            result = condition()
            if result:
                return result
        except OSError:
            pass
        if time.monotonic() > end:
            sys.exit(f"{what}: not within {seconds} s")
        time.sleep(0.05)


class Page:
    """The families of a page that go by process-exporter's names."""

    def __init__(self, port, path="/metrics"):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=60) as answer:
            self.text = answer.read().decode()
        self.types = {}
        self.samples = {}
        for line in self.text.splitlines():
            words = line.split()
            if line.startswith("# TYPE") and self.is_meant(words[2]):
                self.types[words[2]] = words[3]
            found = re.match(r"(\w+)(?:\{(.*)\})? (\S+)$", line)
            if found and self.is_meant(found[1]):
                labels = re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', found[2] or "")
                key = found[1], frozenset(labels)
                if key in self.samples:
                    fail(f"{key} is twice on the page")
                self.samples[key] = float(found[3])

    @staticmethod
    def is_meant(name):
        return name.startswith("namedprocess_") or name == "process_exporter_build_info"

    def labels(self, name):
        """The label names of each sample of a family."""
        return {frozenset(label for label, _ in labels) for n, labels in self.samples if n == name}

    def family(self, name, group):
        """The samples of a group by their other labels."""
        found = {}
        for (n, labels), value in self.samples.items():
            if n == PREFIX + name and ("groupname", group) in labels:
                found[tuple(sorted(v for k, v in labels if k != "groupname"))] = value
        return found

    @property
    def groups(self):
        return {dict(labels)["groupname"] for n, labels in self.samples if n.startswith(PREFIX)}


class Pair:
    """Both exporters with the same command line, until they are let go."""

    def __init__(self, *flags):
        self.flags = flags

    def __enter__(self):
        with open(f"{directory}/log", "a") as log:
            self.processes = [
                start(shutil.which("prometheus-process-exporter"),
                      f"-web.listen-address=127.0.0.1:{their_port}", *self.flags,
                      stdout=log, stderr=log),
                start(program, f"-web.listen-address=127.0.0.1:{our_port}", *self.flags,
                      stdout=log, stderr=log)]
        for port in (their_port, our_port):
            poll(f"an exporter on port {port}", 60, lambda: Page(port))
        # What has to be waited for (command lines, proportional memory) is there soon.
        poll("all groups", 60, lambda: len(Page(our_port).groups) >= len(Page(their_port).groups))
        return self

    def __exit__(self, *_):
        for process in self.processes:
            process.terminate()
            process.wait(20)

    def pages(self):
        return Page(their_port), Page(our_port)


def same(what, theirs, ours, slack=1e-6):
    if theirs is None or ours is None or abs(theirs - ours) > slack:
        fail(f"{what}: process-exporter has {theirs}, procvitals {ours}")


def compare_forms(theirs, ours, but=()):
    """Families, types and label names."""
    for name in sorted(set(theirs.types) | set(ours.types)):
        if name.removeprefix(PREFIX) in but:
            continue
        if theirs.types.get(name) != ours.types.get(name):
            fail(f"{name}: process-exporter has {theirs.types.get(name)}, "
                 f"procvitals {ours.types.get(name)}")
        elif name == "process_exporter_build_info":  # newer versions have more of them
            if not next(iter(theirs.labels(name))) <= next(iter(ours.labels(name))):
                fail(f"labels of {name}: {theirs.labels(name)} and {ours.labels(name)}")
        elif theirs.labels(name) != ours.labels(name):
            fail(f"labels of {name}: {theirs.labels(name)} and {ours.labels(name)}")


def whole(group):
    """A name without the seconds of a start time."""
    return re.sub(r" \d\d:\d\d:\d\d(\.\d+)? \+0000 UTC", "", group)


# --------------------------------------------------------------------------------------------------

GAUGES = ["num_procs", "num_threads", "open_filedesc", "worst_fd_ratio", "memory_bytes"]
COUNTERS = ["cpu_seconds_total", "read_bytes_total", "write_bytes_total",
            "major_page_faults_total", "minor_page_faults_total", "context_switches_total"]
THREAD_COUNTERS = ["thread_cpu_seconds_total", "thread_io_bytes_total",
                   "thread_major_page_faults_total", "thread_minor_page_faults_total",
                   "thread_context_switches_total"]


def compare_gauges(theirs, ours, group, group_here):
    processes = theirs.family("num_procs", group)[()]
    for name in GAUGES:
        there, here = theirs.family(name, group), ours.family(name, group_here)
        if set(there) != set(here):
            fail(f"{name} of {group}: {sorted(there)} and {sorted(here)}")
        for labels in set(there) & set(here):
            slack = 1e-6
            if labels == ("resident",):
                slack = 64 * 4096 * os.cpu_count() * processes
                differs("memory_bytes resident")
            if labels == ("proportionalResident",):
                slack = max(there[labels] * 0.5, 1 << 20)
                differs("memory_bytes proportional")
            same(f"{name}{labels} of {group}", there[labels], here[labels], slack)
    begun, here = (page.family("oldest_start_time_seconds", g)[()]
                   for page, g in ((theirs, group), (ours, group_here)))
    if not begun <= here < begun + 2:
        fail(f"start of {group}: {begun} and {here}")
    if begun != here:
        differs("oldest_start_time_seconds")


def compare_threads(theirs, ours, group, group_here, several):
    """States, wait channels and names; `several` is how many processes have more than one thread."""
    for name, key in (("states", "states"), ("threads_wchan", "threads_wchan")):
        there, here = theirs.family(name, group), ours.family(name, group_here)
        here = {labels: value for labels, value in here.items() if value or labels in there}
        if set(there) != set(here):
            fail(f"{name} of {group}: {there} and {here}")
        extra = {labels: there[labels] - here.get(labels, 0) for labels in there}
        if min(extra.values()) < 0 or sum(extra.values()) != several:
            fail(f"{name} of {group}: {there} and {here}, {several} processes have threads")
        if several:
            differs(key)
    states = ours.family("states", group_here)
    same(f"sum of the states of {group}", sum(states.values()),
         ours.family("num_threads", group_here)[()])
    there, here = (p.family("thread_count", g) for p, g in ((theirs, group), (ours, group_here)))
    for labels, value in there.items():
        if several == theirs.family("num_procs", group)[()]:
            same(f"threads {labels} of {group}", value, here.get(labels))
        elif value > here.get(labels, 0):
            fail(f"threads {labels} of {group}: {value} and {here}")
    if set(there) != set(here):
        differs("thread_")
    same(f"threads by name of {group}", sum(here.values()),
         ours.family("num_threads", group_here)[()])


def compare_increases(before, after, group, group_here, names, slack=None):
    for name in names:
        rises = []
        for page in (0, 1):
            g = (group, group_here)[page]
            first, last = before[page].family(name, g), after[page].family(name, g)
            for labels in first:
                if last.get(labels, -1) < first[labels]:
                    fail(f"{name}{labels} of {g} fell from {first[labels]} to {last.get(labels)}")
            rises.append({labels: last[labels] - first.get(labels, 0) for labels in last})
        there, here = rises
        if set(there) != set(here) and name in COUNTERS:
            fail(f"{name} of {group}: {sorted(there)} and {sorted(here)}")
        for labels in there:
            same(f"rise of {name}{labels} of {group}", there[labels], here.get(labels),
                 (slack or {}).get(name, 1e-6))


def main():
    one = Load(f"pv1-{mark}")
    crew = Load(f"pv2-{mark}", name=f"/opt/pv/pvb-{mark}")
    other = Load(f"pv3-{mark}", user=65534)
    crew("threads 3 hand sleep")
    crew("threads 1 odd futex")
    one("memory private 8")
    sleeper(f"pv4-{mark}", "1000")
    quitter = sleeper(f"pv5-{mark}", "1000")
    sleeper(f"pv6-{mark}", "1000", name=f"/full/pvf-{mark}")
    sleeper(f"pv7-{mark}", "1000")
    script = f"{directory}/service"
    with open(script, "w") as file:
        # Three blank-separated words and a comment that nothing but the command line knows.
        file.write(f"{directory}/sleep 1000 & {directory}/sleep 1000 & wait\n")
    services = [start("/bin/sh", script, f"--port={port}", start_new_session=True)
                for port in (7001, 7001, 7002)]
    children = lambda: [open(f"/proc/{s.pid}/task/{s.pid}/children").read().split() for s in services]
    poll("the services' children", 60, lambda: all(len(c) == 2 for c in children()))
    poll("the services' children's programs", 60, lambda: all(
        os.readlink(f"/proc/{pid}/exe").endswith("/sleep") for c in children() for pid in c))
    redis = shutil.which("redis-server")
    if redis:
        socket = f"{directory}/redis.sock"
        start(redis, "--port", "0", "--unixsocket", socket, "--save", "", "--appendonly", "no",
              "--logfile", "", stdout=subprocess.DEVNULL, cwd=directory)
        poll("redis", 60, lambda: os.path.exists(socket))

    configuration = f"{directory}/process-exporter.yml"
    escaped = re.escape(script)
    with open(configuration, "w") as file:
        file.write(f"""\
process_names:
  - comm: [pv1-{mark}]
  - name: "{{{{.ExeBase}}}} of {{{{ .Username }}}}"
    exe:
    - pvb-{mark}
  - name: "{{{{.Comm}}}} {{{{.ExeFull}}}}"
    exe: [/full/pvf-{mark}, /nowhere/pv]
  - name: both-{mark}
    comm:
    - pv3-{mark}
  - name: 'service {{{{.Matches.Port}}}} {{{{index .Matches "Port"}}}}'
    cmdline:
    - '^\\S+sh '
    - {escaped} --port=(?P<Port>\\d+)
  - name: both-{mark}
    comm: [pv4-{mark}]
  - name: "{{{{.Matches}}}}"
    cmdline: ['pv5-{mark} (?P<Long>\\d+)(?P<None>x)?']
  - name: absent-{mark}
    comm: [nothing-{mark}]
  - name: "{{{{.PID}}}} {{{{.StartTime}}}} {{{{.Cgroups}}}}"
    cmdline: ['/pv7-{mark}']
  - name: redis {{{{.Username}}}}
    cmdline: ['redis-server .*{re.escape(directory)}', '(redis)']
""")

    with Pair("-config.path", configuration, "-recheck=false") as pair:
        before = pair.pages()
        # Work that both see as the same numbers, and that is over when they look again.
        for load in (one, crew, other):
            for command in ("user 0.1", "system 0.1", "minor_faults 3000", "switches 300",
                            "transfer write 1000000 10", "storage 2", "major_faults 20"):
                load(command)
        after = pair.pages()
        theirs, ours = after
        compare_forms(theirs, ours)
        absent = f"absent-{mark}"
        here = {whole(group): group for group in ours.groups - {absent}}
        there = {whole(group): group for group in theirs.groups}
        if ours.family("num_procs", absent) != {(): 0} or absent in theirs.groups:
            fail(f"the group without processes: {ours.family('num_procs', absent)}")
        differs("absent")
        if set(here) != set(there):
            fail(f"groups: {sorted(there)} and {sorted(here)}")
        expected = 8 + (redis is not None)
        if len(there) != expected:
            fail(f"expected {expected} groups: {sorted(there)}")
        if set(here.values()) != set(there.values()):
            differs("StartTime")
        print("groups:", *sorted(there), sep="\n  ")
        several = {f"pvb-{mark} of root": 1}
        for name in sorted(set(here) & set(there)):
            is_busy = name.startswith("redis")
            if is_busy:  # it works even while nobody asks anything of it
                same("redis' processes", theirs.family("num_procs", there[name])[()],
                     ours.family("num_procs", here[name])[()])
                same("redis' threads", theirs.family("num_threads", there[name])[()],
                     ours.family("num_threads", here[name])[()])
                if not set(theirs.family("thread_count", there[name])) <= set(
                        ours.family("thread_count", here[name])):
                    fail("names of redis' threads")
                continue
            compare_gauges(theirs, ours, there[name], here[name])
            compare_threads(theirs, ours, there[name], here[name], several.get(name, 0))
            compare_increases(before, after, there[name], here[name], COUNTERS)
            compare_increases(before, after, there[name], here[name], THREAD_COUNTERS)
        # How the kernel shares it between the modes is its own affair.
        used = [sum(after[1].family("cpu_seconds_total", here[name]).values())
                - sum(before[1].family("cpu_seconds_total", here[name]).values())
                for name in (f"pv1-{mark}", f"pvb-{mark} of root", f"both-{mark}")]
        if min(used) < 0.18:
            fail(f"the work is not to be seen: {used}")
        for page in after:
            if page.samples.get(("namedprocess_scrape_errors", frozenset())) != 0:
                fail("namedprocess_scrape_errors")

        # Threads that end take their context switches along, there.
        crew("brief_threads 20 100 0")
        ended = pair.pages()
        group = f"pvb-{mark} of root"
        count = [(a.family("context_switches_total", group)[("voluntary",)],
                  e.family("context_switches_total", group)[("voluntary",)])
                 for a, e in zip(after, ended)]
        if count[1][1] - count[1][0] < 1800 and capable():
            fail(f"2,000 switches of ended threads: {count}")
        if count[1][1] < count[1][0]:
            fail(f"context switches fell: {count}")
        if count[0][1] - count[0][0] < 2000:
            differs("ended threads")

        # A group whose last process ends.
        quitter.terminate()
        quitter.wait()
        group = next(g for g in theirs.groups if f"pv5-{mark}" in g)
        end = pair.pages()
        for page in end:
            same(f"processes of {group}", page.family("num_procs", group).get(()), 0)
        for name in COUNTERS:
            if set(end[0].family(name, group)) != set(end[1].family(name, group)):
                fail(f"{name} of a group without processes")
        for name in GAUGES[1:]:
            if end[1].family(name, group):
                fail(f"{name} of a group without processes: {end[1].family(name, group)}")
        differs("empty")

        # procvitals' own names are there for who asks.
        with urllib.request.urlopen(
                f"http://127.0.0.1:{our_port}/metrics?names=process", timeout=60) as answer:
            text = answer.read().decode()
        if "\nprocess_cpu_user_seconds_total{" not in text or "namedprocess" in text:
            fail("/metrics?names=process")

    with Pair("-config.path", configuration, "-threads=false", "-gather-smaps=false",
              "--children=false") as pair:
        theirs, ours = pair.pages()
        compare_forms(theirs, ours)
        if {whole(g) for g in ours.groups} - {f"absent-{mark}"} != {whole(g) for g in theirs.groups}:
            fail(f"groups without children: {sorted(theirs.groups)} and {sorted(ours.groups)}")
        for group in theirs.groups & ours.groups:
            same(f"processes of {group} without children",
                 theirs.family("num_procs", group)[()], ours.family("num_procs", group)[()])
            same(f"memory of {group}", len(theirs.family("memory_bytes", group)),
                 len(ours.family("memory_bytes", group)))

    mapping = f"pv4-{mark},pv4-{mark} ((x)|(\\d+)),sh,port=(\\d)(\\d+)"
    with Pair("-procnames", f"pv1-{mark},pv3-{mark},nothing", "-namemapping", mapping) as pair:
        theirs, ours = pair.pages()
        for group in (f"pv1-{mark}", f"pv3-{mark}", f"pv4-{mark}:1000", "sh:7"):
            for page in (theirs, ours):
                if group not in page.groups:
                    fail(f"-procnames and -namemapping: no group {group}")
            same(f"processes of {group} by the command line",
                 theirs.family("num_procs", group).get(()), ours.family("num_procs", group).get(()))
        if ours.family("num_procs", "nothing") != {(): 0}:
            fail("the absent group of -procnames")
    for key in sorted(seen):
        print(f"differs: {key}: {DIFFERENCES[key]}")
    unused = set(DIFFERENCES) - seen - {"StartTime", "oldest_start_time_seconds"}
    if unused:
        fail(f"differences that are none any more: {unused}")


def capable():
    """Whether ended threads are told of: taskstats needs CAP_NET_ADMIN in the first namespaces."""
    return 'procvitals_capability{name="taskstats"} 1' in Page(our_port).text


try:
    main()
finally:
    for process in reversed(started):
        # The services have children.
        if process.poll() is None and os.getpgid(process.pid) == process.pid:
            os.killpg(process.pid, signal.SIGKILL)
        process.kill()
        process.wait()
sys.exit(1 if failures else 0)
