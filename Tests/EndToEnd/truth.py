"""truth.py PROCVITALS URL LOAD DIRECTORY: every family that is not about the exporter itself against
what the load program did, or against a reader of the kernel's files that is not procvitals'.

Targets of the daemon, all with every group: app (DIRECTORY/app.pid), pair (two processes named
pv-pair), family (family.pid, with children), apart (apart.pid, in a network namespace of its own).
"""

import glob
import os
import re
import subprocess
import sys
import time

from observer import *
from readers import *

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


def served_by(page, name, target):
    """What a page says, in the words of the readers."""
    served = page.family(name, target)
    if name == "process_sockets":
        return {tuple((k, v.replace("unconnected", "close")) for k, v in key): n
                for key, n in served.items()}
    return {
        tuple((label, folded(v) if label == "thread" else v) for label, v in key): n
        for key, n in served.items()
    }


def differences(target, processes, names):
    """What a page says otherwise than what is read before and after it: family -> a sentence."""
    before = readings(processes, names)
    page = scrape()
    after = readings(processes, names)
    found = {}
    for name in names:
        served = served_by(page, name, target)
        slack = READ[name][2] if len(READ[name]) > 2 else 1e-6
        for key in set(served) | set(before[name]) | set(after[name]):
            bounds = [part[name].get(key) for part in (before, after)]
            if key:  # nothing of a kind may as well be 0
                bounds = [bound or 0 for bound in bounds]
            value = served.get(key, 0 if key else None)
            if value is None and bounds == [None, None]:
                continue
            if value is None or None in bounds or not (
                min(bounds) - slack <= value <= max(bounds) + slack
            ):
                found[name] = (f"{name} of {target} {dict(key) if key else ''}: {value}, "
                               f"the kernel says {bounds[0]} … {bounds[1]}")
    return found


def compare(target, processes, but="never"):
    names = [name for name in READ if name in rows and not re.fullmatch(but, name)]
    if target != "app":
        names = [name for name in names if not re.fullmatch(OF_APP, name)]
    checked.update(names)
    found = differences(target, processes, names)
    for _ in range(20):
        late = [name for name in found if re.fullmatch(PATIENT, name)]
        if not late:
            break
        time.sleep(0.2)
        again = differences(target, processes, late)
        found = {n: again.get(n, s) for n, s in found.items() if n not in late or n in again}
    for sentence in found.values():
        fail(sentence)


# What was done, and by how much families must have risen --------------------------------------


def value(page, name, target="app", **labels):
    return page.value(name, target, **labels)


def did(commands, low, high=None, who=None, target="app", settled=lambda page: True):
    """Runs commands between two pages; families must rise by exactly `low`, or between it and
    `high`. A key is a family, or a family and a tuple of a label and its value."""
    before = scrape()
    facts = [(who or app).do(command) for command in commands]
    after = scrape()
    end = time.monotonic() + 3
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
        # One that is interrupted on its way to sleep does not count as giving up the CPU by itself.
        did([command], {name: 2700 if mode == "voluntary" else 10}, {name: 1e9})
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
        # Others that come to share a library's pages make the share of this one fall.
        did([f"memory {command}"],
            {name: n * MIB - (MIB // 16 if "proport" in name else 0) for name, n in families.items()},
            {name: n * MIB + (0 if "locked" in name else MIB // 4) for name, n in families.items()},
            settled=lambda page: "proportional" not in str(families))
    did(["mappings 100"], {"process_memory_maps": 99}, {"process_memory_maps": 101},
        settled=lambda page: False)
    did(["minor_faults 4000"], {"process_minor_page_faults_total": 4000},
        {"process_minor_page_faults_total": 4100})
    did(["major_faults 64"], {"process_major_page_faults_total": 64},
        {"process_major_page_faults_total": 80})


def control_group():
    """What the process' own group is charged for, and how it is held back."""
    page = scrape()
    has = lambda name: value(page, name) is not None
    if has("process_cgroup_memory_bytes"):
        # The kernel charges a few pages ahead for each CPU.
        did(["memory anon 16"], {"process_cgroup_memory_bytes": 15 * MIB},
            {"process_cgroup_memory_bytes": 17 * MIB})
    if has("process_pressure_cpu_waiting_seconds_total"):
        did(["contention 1"], {"process_pressure_cpu_waiting_seconds_total": 0.4},
            {"process_pressure_cpu_waiting_seconds_total": 1.5})
    if not has("process_cgroup_cpu_limit_cores"):
        return
    for file, few, many in [("cpu/cpu.cfs_quota_us", "20000", "150000"),
                            ("cgroup/cpu.max", "20000 100000", "150000 100000")]:  # fmt: skip
        path = f"{directory}/groups/{file}"
        if not os.path.exists(path):
            continue
        with open(path, "w") as quota:
            quota.write(few)
        name = "process_cgroup_cpu_limit_cores"
        if value(scrape(), name) != 0.2:
            fail(f"{name}: {value(scrape(), name)}, expected 0.2")
        did(["user 0.1"], {"process_cgroup_cpu_periods_total": 4, "process_cgroup_cpu_seconds_total": 0.1,
                           "process_cgroup_cpu_throttled_periods_total": 3,
                           "process_cgroup_cpu_throttled_seconds_total": 0.1},
            {"process_cgroup_cpu_periods_total": 30, "process_cgroup_cpu_seconds_total": 0.15,
             "process_cgroup_cpu_throttled_periods_total": 15,
             "process_cgroup_cpu_throttled_seconds_total": 3})  # fmt: skip
        with open(path, "w") as quota:
            quota.write(many)


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
        "nice 5": {"process_nice": 5},
        "scheduling 3 0": {"process_scheduling_policy": 3},
    }.items():
        did([command], expected)
    pending = "process_signals_pending"
    if pending in rows:
        # Those of others of the same user are there for moments only.
        least = lambda: min(value(scrape(), pending) for _ in range(20))
        before = least()
        app.do("signals 5")
        if (risen := least() - before) != 5:
            fail(f"{pending} after signals 5: risen by {risen}, expected 5")
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
    if value(scrape(), "process_cgroup_tasks") is not None:
        did(["threads 2 pool- sleep"], {"process_cgroup_tasks": 2})
    did(["threads 2 waiter- futex"], states(sleeping=2))
    did(["threads 1 stuck disk"], states(disk_sleep=1))
    did(["threads 1 runner run"], states(running=1))
    name = "process_thread_busiest_cpu_seconds_total"
    if name in rows:
        checked.add(name)
        own = Process(app.pid)
        task = next(t for t in own.threads() if text(own.path + t + "/comm").startswith("runner"))
        first, before = own.stat(14, 15, of=task), value(scrape(), name)
        time.sleep(0.5)
        risen, last = value(scrape(), name) - before, own.stat(14, 15, of=task)
        if not 0.1 < risen <= (last - first + 1) / TICK:
            fail(f"{name}: risen by {risen} s, the running thread by {(last - first) / TICK} s")
    compare("app", [app], but=OF_THREADS)
    for sent, state in [(signal.SIGSTOP, "stopped"), (signal.SIGCONT, None)]:
        os.kill(app.pid, sent)
        time.sleep(0.1)
        page = scrape()
        if state and "process_thread_states" in rows:
            # The thread that waits for the child of vfork stops only when that wait ends.
            stopped = value(page, "process_thread_states", state=state)
            if stopped != value(page, "process_threads") - 1:
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

    brief_children()
    # Where others want the CPU too, ticks of the kernel's clock hit these.
    others = [subprocess.Popen(["sh", "-c", "while :; do :; done"]) for _ in range(4)]
    try:
        brief_children()
    finally:
        for other in others:
            other.kill()
            other.wait()


def brief_children():
    name = "process_short_lived_total"
    before = value(scrape(), "process_cpu_seconds_total", "family")
    known = name in rows and value(scrape(), name, "family") or 0
    facts = did(["brief_children 50 0.01 2"], {name: 50}, who=family, target="family",
                settled=lambda page: name not in rows or value(page, name, "family") > known)[0]
    if name in rows:
        used = value(scrape(), "process_cpu_seconds_total", "family") - before
        # The record of an end is sent before its last work, which on a busy machine takes a while.
        if abs(used - facts["cpu"]) > 0.1 + 0.1 * facts["cpu"]:
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


def go_runtimes():
    """The load program has none; 77 compares families with what Go programs say of themselves."""
    served = scrape().families("app")
    for name in rows:
        if name.startswith("go_"):
            checked.add(name)
            if name in served:
                fail(f"{name} of a program that is not of Go")


def delays():
    """Only where the machine has switched the accounting on; absent otherwise, never 0."""
    is_on = text("/proc/sys/kernel/task_delayacct").strip() == "1"
    page = scrape()
    for name in rows:
        if re.match(r"process_(?!run_)\w+_delay_seconds_total$", name):
            checked.add(name)
            # Kernels that do not measure interrupts say 0 for ever, which is shown as nothing.
            if (value(page, name) is not None) != is_on and not (is_on and "irq" in name):
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
app.join(directory + "/groups")
write_pid("app", app)
pair = [Load(directory + "/pv-pair") for _ in range(2)]
for process, files in zip(pair, (600, 500)):
    process.do(f"limit 7 {files} 1000")
    process.do(f"memory anon {files // 100}")
family = Load(load)
write_pid("family", family)
apart = Load(load, "unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$0"')
write_pid("apart", apart)
end = time.monotonic() + 20
while time.monotonic() < end:
    page = scrape()
    ups = [value(page, "procvitals_target_up", t) for t in ("app", "pair", "family", "apart")]
    if all(ups) and value(page, "procvitals_target_processes", "pair") == 2:
        break
else:
    sys.exit(f"FAILED: not all targets are up: {ups}")

compare("app", [app])
compare("apart", [apart])
for step in (cpu, memory, control_group, input_and_output, descriptors, network, settings, information, age,
             go_runtimes, delays, threads, children, out_of_memory):  # fmt: skip
    step()
for process in (apart, *pair):
    for command in ["threads 2 pool sleep", "pairs 2", "send 1000 2000", "minor_faults 50",
                    "storage 1", "switches 20", "user 0.1"]:  # fmt: skip
        process.do(command)
compare("apart", [apart])
compare("pair", pair)
switches()
restart()

missing = sorted((set(READ) | checked) - set(rows))
expected_too = "process_exits_total process_starts_total process_restarts_total " \
    "process_oom_kills_total process_short_lived_total process_info " \
    "process_proportional_memory_age_seconds process_tcp_sent_bytes_total " \
    "process_tcp_received_bytes_total process_tcp_retransmitted_segments_total " \
    "process_tcp_listen_queue_max process_thread_busiest_cpu_seconds_total"  # fmt: skip
missing += sorted(set(expected_too.split()) - set(rows))
for name in missing:
    print("missing: ", name)
for name in sorted(set(rows) - checked):
    fail(f"{name} has no truth test")
print(f"{len(checked & set(rows))} families checked, {len(missing)} missing, {len(failures)} wrong")
sys.exit(1 if missing or failures else 0)
