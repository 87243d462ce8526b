"""truth.py PROCVITALS URL LOAD DIRECTORY: every family that is not about the exporter itself against
what the load program did, or against a reader of the kernel's files that is not procvitals'.

Targets of the daemon, all with every group: app (DIRECTORY/app.pid), pair (two processes named
pv-pair), family (family.pid, with children), apart (apart.pid, in a network namespace of its own).
"""

import glob
import os
import re
import sys
import time

from observer import *

program, url, load, directory = sys.argv[1:5]
rows = {name: row for name, row in catalogue(program).items() if row["group"]}
checked = set()
failures = []
MIB = 1 << 20


def scrape():
    return Page(url)


def fail(what):
    failures.append(what)
    print("wrong:  ", what)


# A reader and how it combines over processes -------------------------------------------------


def limit(name, place=0):
    return lambda p: p.limits()[name][place]


def ratio(p):
    soft = p.limits()["Max open files"][0]
    return len(os.listdir(p.path + "/fd")) / soft if soft else None


def ticks(*fields):
    return lambda p: p.stat(*fields) / TICK


def status(name):
    return lambda p: p.status(name)


def io(name):
    return lambda p: p.io(name)


def threads_switches(name):
    return lambda p: p.over_threads(lambda t: p.status(name, of=t))


STATES = {"R": "running", "S": "sleeping", "D": "disk_sleep", "T": "stopped", "t": "stopped"}
STATES |= {"Z": "zombie", "X": "zombie", "I": "idle"}


def thread_states(p):
    return p.count_threads(lambda t: (("state", STATES[p.state(t)]),))


def wait_channels(p):
    counts = p.count_threads(lambda t: (("channel", text(f"{p.path}{t}/wchan")),))
    return {key: count for key, count in counts.items() if key[0][1] != "0"}


def folded(name):
    """A thread's name without what procvitals folds."""
    return re.sub(r"[^a-z]", "", name)


def thread_names(p):
    return p.count_threads(lambda t: (("thread", folded(text(f"{p.path}{t}/comm"))),))


def busiest(p):
    return max(p.stat(14, 15, of=thread) for thread in p.threads()) / TICK


LIMITS = {
    "cpu_seconds": "Max cpu time", "fsize_bytes": "Max file size", "data_bytes": "Max data size",
    "stack_bytes": "Max stack size", "core_bytes": "Max core file size",
    "rss_bytes": "Max resident set", "nproc": "Max processes", "nofile": "Max open files",
    "memlock_bytes": "Max locked memory", "as_bytes": "Max address space",
    "locks": "Max file locks", "sigpending": "Max pending signals",
    "msgqueue_bytes": "Max msgqueue size", "nice": "Max nice priority",
    "rtprio": "Max realtime priority", "rttime_microseconds": "Max realtime timeout",
}  # fmt: skip


def limits(place):
    def read(p):
        values = p.limits()
        named = {name: values[kernel][place] for name, kernel in LIMITS.items()}
        return {(("resource", name),): v for name, v in named.items() if v is not None}

    return read


def pending(place):
    def read(p):
        found = re.search(r"^SigQ:\s+(\d+)/(\d+)", text(p.path + "/status"), re.M)
        return int(found[place])

    return read


def by_protocol(p):
    return {
        (("protocol", protocol), ("state", state)): count
        for (protocol, state), count in sockets(p).items()
    }


def queues(p):
    return {(("address", address),): length for address, length in listeners(p).items()}


def cgroup(controller, *files, scale=1, key=None):
    """The first of some files that is there; version 2 ones begin with a slash."""

    def read(p):
        directories = cgroup_files(p.pid)
        for file in files:
            where, name = ("", file[1:]) if file.startswith("/") else (controller, file)
            if where not in directories:
                continue
            try:
                content = text(f"{directories[where][0]}/{name}")
            except GONE:
                continue
            if key:
                found = re.search(rf"^{key[files.index(file)]} (\d+)", content, re.M)
                if not found:
                    continue
                content = found[1]
            scales = scale if isinstance(scale, tuple) else (scale,) * len(files)
            if content.strip() != "max" and int(content) < 1 << 62:
                return int(content) * scales[files.index(file)]
            return None
        return None

    return read


def cpu_limit(p):
    directories = cgroup_files(p.pid)
    try:
        quota, period = text(directories[""][0] + "/cpu.max").split()
    except (KeyError, *GONE):
        try:
            quota, period = (
                text(f"{directories['cpu'][0]}/cpu.cfs_{name}_us").strip()
                for name in ("quota", "period")
            )
        except (KeyError, *GONE):
            return None
    return int(quota) / int(period) if quota not in ("max", "-1") else None


def events(p):
    directories = cgroup_files(p.pid)
    try:
        lines = text(directories[""][0] + "/memory.events")
        found = re.findall(r"^(\w+) (\d+)$", lines, re.M)
    except (KeyError, *GONE):
        try:
            lines = text(directories["memory"][0] + "/memory.oom_control")
        except (KeyError, *GONE):
            return {}
        found = re.findall(r"^(oom_kill) (\d+)$", lines, re.M)
    return {(("event", name),): int(count) for name, count in found}


def pressure(resource, kind):
    def read(p):
        directories = cgroup_files(p.pid)
        try:
            lines = text(f"{directories[''][0]}/{resource}.pressure")
        except (KeyError, OSError):
            return None
        found = re.search(rf"^{kind} .*total=(\d+)", lines, re.M)
        return int(found[1]) / 1e6 if found else None

    return read


# Family -> how it combines over the processes of a target, and its reader of one process.
# The last element, where there is one, is how far they may be apart: where a clock goes on.
READ = {
    "process_blkio_delay_seconds_total": (sum, None),
    "process_cgroup_cpu_limit_cores": (min, cpu_limit),
    "process_cgroup_cpu_periods_total": (
        max, cgroup("cpu", "/cpu.stat", "cpu.stat", key=("nr_periods", "nr_periods"))),
    "process_cgroup_cpu_seconds_total": (
        max, cgroup("cpuacct", "/cpu.stat", "cpuacct.usage", key=("usage_usec", ""),
                    scale=(1e-6, 1e-9))),
    "process_cgroup_cpu_throttled_periods_total": (
        max, cgroup("cpu", "/cpu.stat", "cpu.stat", key=("nr_throttled", "nr_throttled"))),
    "process_cgroup_cpu_throttled_seconds_total": (
        max, cgroup("cpu", "/cpu.stat", "cpu.stat", key=("throttled_usec", "throttled_time"),
                    scale=(1e-6, 1e-9))),
    "process_cgroup_memory_bytes": (
        max, cgroup("memory", "/memory.current", "memory.usage_in_bytes")),
    "process_cgroup_memory_events_total": (max, events),
    "process_cgroup_memory_high_bytes": (min, cgroup("memory", "/memory.high")),
    "process_cgroup_memory_limit_bytes": (
        min, cgroup("memory", "/memory.max", "memory.limit_in_bytes")),
    "process_cgroup_memory_peak_bytes": (
        max, cgroup("memory", "/memory.peak", "memory.max_usage_in_bytes")),
    "process_cgroup_memory_swap_bytes": (max, cgroup("memory", "/memory.swap.current")),
    "process_cgroup_memory_swap_limit_bytes": (min, cgroup("memory", "/memory.swap.max")),
    "process_cgroup_tasks": (max, cgroup("pids", "/pids.current", "pids.current")),
    "process_cgroup_tasks_limit": (min, cgroup("pids", "/pids.max", "pids.max")),
    "process_context_switches_involuntary_total": (
        sum, threads_switches("nonvoluntary_ctxt_switches")),
    "process_context_switches_voluntary_total": (sum, threads_switches("voluntary_ctxt_switches")),
    "process_cpu_children_seconds_total": (sum, ticks(16, 17)),
    "process_cpu_seconds_total": (sum, ticks(14, 15)),
    "process_cpu_system_seconds_total": (sum, ticks(15)),
    "process_cpu_user_seconds_total": (sum, ticks(14)),
    "process_data_bytes": (sum, status("VmData")),
    "process_fd_usage_ratio": (max, ratio),
    "process_fds": (
        sum, lambda p: {(("kind", k),): n for k, n in p.descriptor_kinds().items()}),
    "process_hugetlb_bytes": (sum, status("HugetlbPages")),
    "process_io_read_bytes_total": (sum, io("rchar")),
    "process_io_read_syscalls_total": (sum, io("syscr")),
    "process_io_storage_cancelled_bytes_total": (sum, io("cancelled_write_bytes")),
    "process_io_storage_read_bytes_total": (sum, io("read_bytes")),
    "process_io_storage_written_bytes_total": (sum, io("write_bytes")),
    "process_io_write_syscalls_total": (sum, io("syscw")),
    "process_io_written_bytes_total": (sum, io("wchar")),
    "process_library_bytes": (sum, status("VmLib")),
    "process_limit": (min, limits(0)),
    "process_limit_hard": (min, limits(1)),
    "process_locked_memory_bytes": (sum, status("VmLck")),
    "process_major_page_faults_total": (sum, lambda p: p.stat(12)),
    "process_max_fds": (min, limit("Max open files")),
    "process_memory_maps": (sum, Process.maps),
    "process_memory_maps_max": (min, lambda p: int(text("/proc/sys/vm/max_map_count"))),
    "process_minor_page_faults_total": (sum, lambda p: p.stat(10)),
    "process_network_receive_bytes_total": (max, lambda p: p.net("InOctets")),
    "process_network_transmit_bytes_total": (max, lambda p: p.net("OutOctets")),
    "process_nice": (max, lambda p: p.stat(19)),
    "process_oom_score": (max, lambda p: int(text(p.path + "/oom_score"))),
    "process_oom_score_adj": (max, lambda p: int(text(p.path + "/oom_score_adj"))),
    "process_open_fds": (sum, lambda p: len(os.listdir(p.path + "/fd"))),
    "process_page_tables_bytes": (sum, status("VmPTE")),
    "process_proportional_memory_bytes": (sum, lambda p: p.rollup("Pss")),
    "process_proportional_swap_bytes": (sum, lambda p: p.rollup("SwapPss")),
    "process_pressure_cpu_stalled_seconds_total": (max, pressure("cpu", "full")),
    "process_pressure_cpu_waiting_seconds_total": (max, pressure("cpu", "some")),
    "process_pressure_io_stalled_seconds_total": (max, pressure("io", "full")),
    "process_pressure_io_waiting_seconds_total": (max, pressure("io", "some")),
    "process_pressure_memory_stalled_seconds_total": (max, pressure("memory", "full")),
    "process_pressure_memory_waiting_seconds_total": (max, pressure("memory", "some")),
    "process_realtime_priority": (max, lambda p: p.stat(40)),
    "process_resident_memory_anon_bytes": (sum, status("RssAnon")),
    "process_resident_memory_bytes": (sum, status("VmRSS")),
    "process_resident_memory_file_bytes": (sum, status("RssFile")),
    "process_resident_memory_peak_bytes": (max, status("VmHWM")),
    "process_resident_memory_shared_bytes": (sum, status("RssShmem")),
    "process_run_delay_seconds_total": (sum, lambda p: p.schedstat(1) / 1e9),
    "process_run_seconds_total": (sum, lambda p: p.schedstat(0) / 1e9),
    "process_run_slices_total": (sum, lambda p: p.schedstat(2)),
    "process_scheduling_policy": (max, lambda p: p.stat(41)),
    "process_signals_pending": (max, pending(1)),
    "process_signals_pending_max": (min, pending(2)),
    "process_sockets": (sum, by_protocol),
    "process_stack_bytes": (sum, status("VmStk")),
    "process_start_time_seconds": (min, Process.start, 0.03),
    "process_swap_bytes": (sum, status("VmSwap")),
    "process_tcp_listen_queue": (sum, queues),
    "process_text_bytes": (sum, status("VmExe")),
    "process_thread_busiest_cpu_seconds_total": (max, busiest),
    "process_thread_count": (sum, thread_names),
    "process_thread_states": (sum, thread_states),
    "process_threads": (sum, lambda p: p.stat(20)),
    "process_unique_memory_bytes": (
        sum, lambda p: p.rollup("Private_Clean", "Private_Dirty", "Private_Hugetlb")),
    "process_virtual_memory_bytes": (sum, lambda p: p.stat(23)),
    "process_virtual_memory_max_bytes": (min, limit("Max address space")),
    "process_virtual_memory_peak_bytes": (max, status("VmPeak")),
    "process_wait_channels": (sum, wait_channels),
}  # fmt: skip


def readings(processes, names):
    """family -> labels -> value, read now; what is absent is left out."""
    found = {}
    for name in names:
        combine, read = READ[name][:2]
        values = [read(Process(process.pid)) for process in processes] if read else []
        parts = [v if isinstance(v, dict) else {(): v} for v in values if v is not None]
        keys = {key for part in parts for key in part}
        found[name] = {key: combine(part[key] for part in parts if key in part) for key in keys}
    return found


def compare(target, processes):
    """A page against what is read before and after it."""
    names = [name for name in READ if name in rows]
    before = readings(processes, names)
    page = scrape()
    after = readings(processes, names)
    for name in names:
        checked.add(name)
        served = page.family(name, target)
        if name == "process_thread_count":
            served = {(("thread", folded(key[0][1])),): value for key, value in served.items()}
        slack = READ[name][2] if len(READ[name]) > 2 else 1e-6
        for key in set(served) | (set(before[name]) & set(after[name])):
            bounds = [part[name].get(key) for part in (before, after)]
            label = f"{name} of {target} {dict(key) or ''}".strip()
            if key not in served:
                if min(bounds) > 0 or not key:
                    fail(f"{label}: absent, the kernel says {bounds[0]}")
            elif None in bounds:
                # What is not there any more may stay at 0.
                if bounds != [None, None] or served[key] != 0:
                    fail(f"{label}: {served[key]}, the kernel says {bounds}")
            elif not min(bounds) - slack <= served[key] <= max(bounds) + slack:
                fail(f"{label}: {served[key]}, the kernel says {bounds[0]} … {bounds[1]}")
    return page


# What was done, and by how much families must have risen --------------------------------------


def value(page, name, target="app", **labels):
    return page.value(name, target, **labels)


def did(commands, low, high=None, who=None, target="app", settled=lambda page: True):
    """Runs commands between two pages; families must rise by exactly `low`, or between it and
    `high`. A key is a family, or a family and a tuple of a label and its value."""
    before = scrape()
    facts = [(who or app).do(command) for command in commands]
    after = scrape()
    end = time.monotonic() + 10
    while not settled(after) and time.monotonic() < end:
        time.sleep(0.1)
        after = scrape()
    low = low(facts) if callable(low) else low
    high = high(facts) if callable(high) else high or low
    for key, least in low.items():
        name, *labels = (key,) if isinstance(key, str) else key
        if name not in rows:
            continue
        checked.add(name)
        old, new = (value(page, name, target, **dict(labels)) for page in (before, after))
        risen = None if new is None else new - (old or 0)
        most = high.get(key, least)
        if risen is None or not least - 1e-6 <= risen <= most + 1e-6:
            fail(f"{key} of {target} after {', '.join(commands)}: risen by {risen}, "
                 f"expected {least}" + (f" to {most}" if most != least else ""))
    return facts


def cpu():
    did(["user 0.5", "system 0.2"], {"process_cpu_seconds_total": 0.68},
        {"process_cpu_seconds_total": 0.80})
    did(["brief_threads 5 200 0.1"], {"process_cpu_seconds_total": 0.48},
        {"process_cpu_seconds_total": 0.60})
    # The process' own clock counts what ended threads used.
    if "process_run_seconds_total" in rows:
        clock = Process(app.pid).cpu_clock()
        served = value(scrape(), "process_run_seconds_total")
        if served is None or abs(served - clock) > 0.05 * clock:
            fail(f"process_run_seconds_total: {served}, the process' clock says {clock}")


def switches():
    """Those of threads that have ended are in the kernel's sum, which only the process can ask for;
    daemons without CAP_NET_ADMIN see those of threads that they met."""
    for mode, command in [("voluntary", "brief_threads 3 1000 0"), ("involuntary", "contention 0.5")]:
        name = f"process_context_switches_{mode}_total"
        did([command], {name: 3000 if mode == "voluntary" else 10}, {name: 1e9})
        least = app.do("usage")[mode]
        served = value(scrape(), name)
        most = app.do("usage")[mode]
        if served is None or not least <= served <= most:
            fail(f"{name}: {served}, getrusage says {least} to {most}")


def memory():
    rises = {
        "anon 8": {"process_resident_memory_bytes": 8, "process_resident_memory_anon_bytes": 8,
                   "process_virtual_memory_bytes": 8, "process_data_bytes": 8},
        "file 8": {"process_resident_memory_bytes": 8, "process_resident_memory_file_bytes": 8,
                   "process_virtual_memory_bytes": 8},
        "shared 8": {"process_resident_memory_bytes": 8, "process_virtual_memory_bytes": 8,
                     "process_resident_memory_shared_bytes": 8},
        "locked 4": {"process_locked_memory_bytes": 4, "process_resident_memory_anon_bytes": 4,
                     "process_unique_memory_bytes": 4, "process_proportional_memory_bytes": 4},
    }  # fmt: skip
    for command, families in rises.items():
        did([f"memory {command}"], {name: n * MIB for name, n in families.items()},
            {name: n * MIB + (0 if "locked" in name else MIB // 4) for name, n in families.items()})
    did(["mappings 100"], {"process_memory_maps": 99}, {"process_memory_maps": 101})
    did(["minor_faults 4000"], {"process_minor_page_faults_total": 4000},
        {"process_minor_page_faults_total": 4100})
    did(["major_faults 64"], {"process_major_page_faults_total": 64},
        {"process_major_page_faults_total": 80})


def input_and_output():
    # A command is one more read, its answer one more write.
    for way, sum_of, calls in [("read", "read", "read"), ("write", "written", "write")]:
        command = f"transfer {way} 1000000 10"
        exchange = len(command) + 1 if way == "read" else len("done\n")
        did([command], {f"process_io_{sum_of}_bytes_total": 1000000 + exchange,
                        f"process_io_{calls}_syscalls_total": 11})
    own = Process(app.pid)
    before = own.io("write_bytes")
    app.do("storage 1")
    if own.io("write_bytes") - before < MIB:
        print("note:    files here have no storage behind them")
        return
    moved = {"process_io_storage_read_bytes_total": 4 * MIB,
             "process_io_storage_written_bytes_total": 4 * MIB}  # fmt: skip
    did(["storage 4"], moved, {name: 5 * MIB for name in moved})
    did(["cancelled 4"], {"process_io_storage_cancelled_bytes_total": 4 * MIB})


def descriptors():
    kinds = "file directory eventfd eventpoll timerfd signalfd inotify pidfd memfd device".split()
    expected = {("process_fds", ("kind", kind)): 3 for kind in kinds}
    expected["process_fds", ("kind", "pipe")] = 6
    did(["descriptors 3"], expected | {"process_open_fds": 36})


def network():
    def states(**counts):
        return {
            ("process_sockets", ("protocol", key.split("_", 1)[0]),
             ("state", key.split("_", 1)[1])): n for key, n in counts.items()
        }  # fmt: skip

    facts = did(["listen 7 3"], states(tcp_listen=1, tcp_established=3))[0]
    address = ("address", f"127.0.0.1:{facts['port']}")
    page = scrape()
    for name, expected in [("process_tcp_listen_queue", 3), ("process_tcp_listen_queue_max", 7)]:
        if name in rows:
            checked.add(name)
            served = value(page, name, **dict([address]))
            if served != expected:
                fail(f"{name} {address[1]}: {served}, expected {expected}")
    did(["pairs 4"], states(tcp_established=8))
    bytes_moved = {"process_tcp_sent_bytes_total": 12000, "process_tcp_received_bytes_total": 12000}
    did(["send 1000 2000"], bytes_moved)
    did(["half_close"], states(tcp_established=-2, tcp_close_wait=1, tcp_fin_wait2=1))
    # Bytes of a socket stay when it is closed.
    did(["send 500 500", "tcp_facts", "close_pair"], states(tcp_established=-2),
        None)
    page = scrape()
    for name in bytes_moved:
        if name in rows and (value(page, name) or 0) < 12000:
            fail(f"{name} fell when a socket was closed: {value(page, name)}")
    did(["datagrams"], {("process_sockets", ("protocol", "udp")): 2})
    did(["unix_sockets"], states(unix_listen=1, unix_established=2))
    name = "process_tcp_retransmitted_segments_total"
    did(["unanswered"], {name: 1} | states(tcp_syn_sent=1), {name: 20},
        settled=lambda page: name not in rows or value(page, name))
    if name in rows:
        least = app.do("tcp_facts")["retransmitted"]
        served = value(scrape(), name)
        if served is None or served < least:
            fail(f"{name}: {served}, the socket's owner is told {least}")


def settings():
    for command, expected in {
        "oom 123": {"process_oom_score_adj": 123},
        "signals 5": {"process_signals_pending": 5},
        "nice 5": {"process_nice": 5},
        "scheduling 3 0": {"process_scheduling_policy": 3},
    }.items():
        did([command], expected)
    if app.do("scheduling 2 10")["done"]:  # a container may not allow it
        did(["scheduling 3 0"], {"process_scheduling_policy": 1, "process_realtime_priority": -10})
    # Resource 7 is RLIMIT_NOFILE, 8 RLIMIT_MEMLOCK, 9 RLIMIT_AS.
    for command in ["limit 7 700 800", "limit 8 65536 131072", f"limit 9 {1 << 40} {1 << 41}"]:
        app.do(command)
    page = scrape()
    for name, labels, expected in [
        ("process_max_fds", {}, 700), ("process_virtual_memory_max_bytes", {}, 1 << 40),
        ("process_limit", {"resource": "memlock_bytes"}, 65536),
        ("process_limit_hard", {"resource": "memlock_bytes"}, 131072),
    ]:  # fmt: skip
        if name in rows and value(page, name, **labels) != expected:
            fail(f"{name} {labels} after setrlimit: {value(page, name, **labels)}, "
                 f"expected {expected}")


def threads():
    states = lambda **counts: {("process_thread_states", ("state", s)): n for s, n in counts.items()}
    did(["threads 3 pool- sleep"], states(sleeping=3) | {"process_threads": 3})
    did(["threads 2 waiter- futex"], states(sleeping=2))
    did(["threads 1 stuck disk"], states(disk_sleep=1))
    did(["threads 1 runner run"], states(running=1))
    before = {mode: 0 for mode in ("user", "system")}
    name = "process_thread_cpu_seconds_total"
    if name in rows:
        checked.add(name)
        ours = lambda page, mode: sum(
            v for key, v in page.family(name, "app").items()
            if folded(dict(key)["thread"]) == "runner" and dict(key)["mode"] == mode
        )  # fmt: skip
        own = Process(app.pid)
        task = next(t for t in own.threads() if text(own.path + t + "/comm").startswith("runner"))
        time.sleep(0.5)
        for mode, field in [("user", 14), ("system", 15)]:
            least = own.stat(field, of=task) / TICK
            served = ours(scrape(), mode)
            most = own.stat(field, of=task) / TICK
            if not least - 1e-6 <= served <= most + 1e-6:
                fail(f"{name} of the running thread, {mode}: {served}, expected {least} to {most}")
    name = "process_thread_context_switches_total"
    if name in rows:
        checked.add(name)
        own = Process(app.pid)
        keys = {"voluntary": "voluntary_ctxt_switches", "involuntary": "nonvoluntary_ctxt_switches"}
        for mode, key in keys.items():
            count = lambda: own.over_threads(
                lambda t: own.status(key, of=t)
                if folded(text(own.path + t + "/comm")) == "pool" else 0)  # fmt: skip
            least = count()
            served = sum(
                v for labels, v in scrape().family(name, "app").items()
                if folded(dict(labels)["thread"]) == "pool" and mode in dict(labels).values()
            )  # fmt: skip
            if not least <= served <= count():
                fail(f"{name} of the pool, {mode}: {served}, expected {least}")
    compare("app", [app])
    for sent, state in [(signal.SIGSTOP, "stopped"), (signal.SIGCONT, None)]:
        os.kill(app.pid, sent)
        time.sleep(0.1)
        page = scrape()
        if state and "process_thread_states" in rows:
            if value(page, "process_thread_states", state=state) != value(page, "process_threads"):
                # The thread that waits for its vfork child stops only when that wait ends.
                if value(page, "process_thread_states", state=state) != value(page, "process_threads") - 1:
                    fail(f"stopped threads: {page.family('process_thread_states', 'app')}")
    page = scrape()
    if "process_thread_states" in rows:
        if value(page, "process_thread_states") != value(page, "process_threads"):
            fail(f"states of {value(page, 'process_thread_states')} threads, "
                 f"process_threads {value(page, 'process_threads')}")


def children():
    kids = lambda n: lambda page: value(page, "procvitals_target_processes", "family") == n
    did(["children 4 kid"], {"process_starts_total": 4}, who=family, target="family",
        settled=kids(5))
    exits = lambda reason, status: {
        ("process_exits_total", ("reason", reason), ("status", status)): 1, "process_exits_total": 1
    }
    settled = lambda n: lambda page: (value(page, "process_exits_total", "family") or 0) >= n
    for count, (command, reason, status) in enumerate([
        ("exit 4", "exited", "4"), ("exit 0", "exited", "0"), ("signal 15", "signalled", "SIGTERM"),
        ("core 6", "dumped", "SIGABRT"),
    ], start=1):  # fmt: skip
        did([f"finish {command}"], exits(reason, status), who=family, target="family",
            settled=settled(count))
    for core in glob.glob(directory + "/core*"):
        os.unlink(core)

    name = "process_short_lived_total"
    before = value(scrape(), "process_cpu_seconds_total", "family")
    facts = did(["brief_children 50 0.01 2"], {name: 50}, who=family, target="family",
                settled=lambda page: name not in rows or value(page, name, "family"))[0]
    if name in rows:
        used = value(scrape(), "process_cpu_seconds_total", "family") - before
        if abs(used - facts["cpu"]) > 0.05 + 0.05 * facts["cpu"]:
            fail(f"CPU of 50 children between two scrapes: {used}, they used {facts['cpu']}")


def out_of_memory():
    group = f"{directory}/small"  # a link to a control group that allows little memory
    if not os.path.exists(group):
        print("note:    no control group for memory can be made here")
        checked.add("process_oom_kills_total")
        return
    killed = {("process_exits_total", ("reason", "signalled"), ("status", "SIGKILL")): 1,
              "process_oom_kills_total": 1}  # fmt: skip
    exits = value(scrape(), "process_exits_total", "family")
    family.tell(f"grow {group}/cgroup.procs 200")
    name = "process_oom_kills_total"
    before = value(scrape(), name, "family") or 0
    time.sleep(0.1)
    scrape()
    facts = family.hear()
    if facts.get("signal") != 9:
        fail(f"the child that took too much memory ended otherwise: {facts}")
    end = time.monotonic() + 5
    while (value(scrape(), "process_exits_total", "family") or 0) <= exits and time.monotonic() < end:
        time.sleep(0.05)
    page = scrape()
    if name in rows:
        checked.add(name)
        if (value(page, name, "family") or 0) - before != 1:
            fail(f"{name} after one: {value(page, name, 'family')}")


def information():
    if "process_info" not in rows:
        return
    checked.add("process_info")
    series = [dict(key) for key in scrape().family("process_info", "app")]
    if len(series) != 1:
        return fail(f"process_info: {len(series)} series")
    expected = {"exe": os.path.realpath(f"/proc/{app.pid}/exe"), "user": "root"}
    for label, wanted in expected.items():
        if label in series[0] and series[0][label] != wanted:
            fail(f"process_info: {label} is {series[0][label]}, expected {wanted}")
    if "exe" not in series[0]:
        fail(f"process_info has no exe: {series[0]}")


def age():
    name = "process_proportional_memory_age_seconds"
    if name in rows:
        checked.add(name)
        served = value(scrape(), name)
        if served is None or not 0 <= served < 120:
            fail(f"{name}: {served}")


def delays():
    """Only where the machine switched the accounting on; absent otherwise, never 0."""
    is_on = text("/proc/sys/kernel/task_delayacct").strip() == "1"
    page = scrape()
    for name in rows:
        if re.match(r"process_(?!run_)\w+_delay_seconds_total$", name):
            checked.add(name)
            if (value(page, name) is not None) != is_on:
                fail(f"{name}: {value(page, name)} with kernel.task_delayacct={is_on}")


def restart():
    """The last: ends the load program and starts it again under the same target."""
    global app
    counters = {key: v for key, v in scrape().samples.items() if ("target", "app") in key[1]}
    page = scrape()
    before = {name: value(page, name) or 0 for name in
              ("process_starts_total", "process_restarts_total", "process_exits_total")}  # fmt: skip
    app.end("end exit 3")
    deadline = time.monotonic() + 10
    while value(scrape(), "procvitals_target_up") and time.monotonic() < deadline:
        time.sleep(0.05)
    app = Load(load, directory=directory)
    write_pid("app", app)
    while not value(scrape(), "procvitals_target_up") and time.monotonic() < deadline:
        time.sleep(0.05)
    while value(scrape(), "process_exits_total") in (None, before["process_exits_total"]) and (
        time.monotonic() < deadline
    ):
        time.sleep(0.05)
    page = scrape()
    for name, old in before.items():
        if name in rows:
            checked.add(name)
            if value(page, name) != old + 1:
                fail(f"{name} after a restart: {value(page, name)}, expected {old + 1}")
    if value(page, "process_exits_total", reason="exited", status="3") != 1:
        fail(f"exits: {page.family('process_exits_total', 'app')}")
    for key, old in counters.items():
        if page.is_counter(key[0]) and page.samples.get(key, -1) < old:
            fail(f"{key[0]} {dict(key[1])} fell from {old} to {page.samples.get(key)}")


def write_pid(name, process):
    with open(f"{directory}/{name}.new", "w") as file:
        file.write(f"{process.pid}\n")
    os.rename(f"{directory}/{name}.new", f"{directory}/{name}.pid")


os.symlink(load, directory + "/pv-pair")
app = Load(load)
write_pid("app", app)
pair = [Load(directory + "/pv-pair") for _ in range(2)]
for process, files in zip(pair, (600, 500)):
    process.do(f"limit 7 {files} 1000")
    process.do(f"memory anon {files // 100}")
family = Load(load)
write_pid("family", family)
apart = Load(load, "unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$0"')
write_pid("apart", apart)
# Into the control groups that the script made.
for procs in glob.glob(directory + "/groups/*/cgroup.procs"):
    with open(procs, "w") as file:
        file.write(str(app.pid))
end = time.monotonic() + 20
while time.monotonic() < end:
    page = scrape()
    ups = [value(page, "procvitals_target_up", t) for t in ("app", "pair", "family", "apart")]
    if all(ups) and value(page, "procvitals_target_processes", "pair") == 2:
        break
else:
    sys.exit(f"FAILED: not all targets are up: {ups}")

compare("app", [app])
for step in (cpu, memory, input_and_output, descriptors, network, settings, information, age,
             delays, threads, children, out_of_memory):  # fmt: skip
    step()
compare("pair", pair)
for process in (apart, pair[0]):
    process.do("pairs 2")
    process.do("send 1000 2000")
compare("apart", [apart])
switches()
restart()

missing = sorted((set(READ) | checked) - set(rows))
expected_too = "process_exits_total process_starts_total process_restarts_total " \
    "process_oom_kills_total process_short_lived_total process_info " \
    "process_proportional_memory_age_seconds process_thread_cpu_seconds_total " \
    "process_thread_context_switches_total process_tcp_sent_bytes_total " \
    "process_tcp_received_bytes_total process_tcp_retransmitted_segments_total " \
    "process_tcp_listen_queue_max"  # fmt: skip
missing += sorted(set(expected_too.split()) - set(rows))
for name in missing:
    print("missing: ", name)
for name in sorted(set(rows) - checked):
    fail(f"{name} has no truth test")
print(f"{len(checked & set(rows))} families checked, {len(missing)} missing, {len(failures)} wrong")
sys.exit(1 if missing or failures else 0)
