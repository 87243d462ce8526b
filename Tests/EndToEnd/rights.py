"""rights.py hold LOAD DIRECTORY: a target with something of everything.
rights.py compare PROCVITALS LEVEL=URL...: the pages of daemons with different rights.
"""

import os
import re
import sys
import time

from observer import *

LEVELS = ["none", "perfmon", "ptrace", "io", "net", "root"]

# The least level that shows a family; the first pattern that fits holds. As `none` the daemon is
# nobody, `perfmon` has CAP_PERFMON, `ptrace` CAP_SYS_PTRACE, `io` CAP_DAC_READ_SEARCH as well, and
# `net` CAP_NET_ADMIN besides. A family that the machine does not have (a control group without a
# limit) root does not see either.
LEAST = [
    (r"process_(thread_)?io_\w+", "io"),
    (r"process_fds", "io"),
    (r"process_sockets|process_tcp_\w+", "io"),
    (r"process_memory_maps", "perfmon"),
    (r"process_proportional_\w+|process_unique_memory_bytes", "perfmon"),
    (r"process_wait_channels", "ptrace"),
    (r"go_\w+", "ptrace"),  # of a Go program: 78
    (r"process_short_lived_total", "net"),
    (r"process_(?!run)\w+_delay_seconds_total", "net"),
    (r"process_(cpu|context_switches|run)_\w+", "none"),
    (r"process_(resident|virtual|locked)_memory(_\w+)?_bytes", "none"),
    (r"process_virtual_memory_max_bytes", "none"),
    (r"process_(data|hugetlb|library|page_tables|stack|swap|text)_bytes", "none"),
    (r"process_(major|minor)_page_faults_total", "none"),
    (r"process_(open_fds|max_fds|fd_usage_ratio|threads|start_time_seconds)", "none"),
    (r"process_thread_\w+", "none"),
    (r"process_memory_maps_max", "none"),
    (r"process_limit(_hard)?|process_signals_pending(_max)?", "none"),
    (r"process_nice|process_realtime_priority|process_scheduling_policy", "none"),
    (r"process_oom_(score|score_adj|kills_total)", "none"),
    (r"process_cgroup_\w+|process_pressure_\w+|process_network_\w+", "none"),
    (r"process_(exits|starts|restarts)_total|process_info", "none"),
]
# Where something else cannot be read than the family's own source.
INSTEAD = [(r"process_sockets|process_tcp_\w+", "fd_links")]
# Gauges of a process that does nothing that are not the same for everybody all the time.
MOVES = (
    r"process_proportional_memory_\w+|process_cgroup_memory_\w+|process_oom_score|process_info"
)
# What others of the same user have a part in, for moments.
SHARED = r"process_signals_pending"
# Without the third capability these are of the threads that the daemon has met.
PARTIAL = r"process_context_switches_\w+|process_run_\w+"


def hold(load, directory):
    os.symlink(load, directory + "/pv-rights")
    app = Load(directory + "/pv-rights")
    app.join(directory + "/groups")
    for command in [
        "descriptors 2", "listen 7 3", "pairs 2", "send 1000 2000", "unix_sockets", "signals 2",
        "memory anon 4", "memory file 4", "memory shared 4", "memory locked 4", "oom 100",
        "threads 3 pool sleep", "brief_threads 2 100 0.05", "user 0.1", "system 0.1",
        "minor_faults 100", "major_faults 16", "storage 1", "cancelled 1", "nice 5",
        "transfer read 10000 10", "transfer write 10000 10", f"limit 9 {1 << 40} {1 << 41}",
        "limit 7 1000 2000", "brief_children 1 0.1 0", "contention 0.2",
    ]:  # fmt: skip
        app.do(command)
    open(directory + "/held", "w").close()
    time.sleep(250)


def agree(name, key, *urls):
    """Whether daemons say the same of something that is shared, once at least."""
    return any(
        len({Page(url).family(name, "app").get(key) for url in urls}) == 1 for _ in range(20))


def least(name):
    return next((level for pattern, level in LEAST if re.fullmatch(pattern, name)), None)


def sources(row):
    """The values of the label `source` that count why a family is missing."""
    return row["files"] + [s for pattern, s in INSTEAD if re.fullmatch(pattern, row["name"])]


def compare(program, urls):
    rows = {name: row for name, row in catalogue(program).items() if row["group"]}
    levels = [level for level in LEVELS if level in urls]
    failures = []
    pages = {}
    for level in levels:
        # What needs a second collection, or is read on the side, is there soon.
        for _ in range(10):
            pages[level] = Page(urls[level])
            time.sleep(0.1)
    reference = pages["root"]
    there = reference.families("app")
    for name in sorted(set(rows) - there):
        print("note:    not even root is shown", name)
    for name in rows:
        if not least(name):
            failures.append(f"{name}: rights.py gives no level")
            continue
        for level in levels[:-1]:
            page = pages[level]
            shown = page.family(name, "app")
            if LEVELS.index(level) < LEVELS.index(least(name)):
                if shown:
                    failures.append(f"{name}: shown to {level}, expected for {least(name)} only")
                elif name in there and not any(
                    page.value("procvitals_unreadable_total", "app", source=source)
                    for source in sources(rows[name])
                ):
                    failures.append(f"{name}: missing for {level}, and not counted as unreadable")
            elif (name in there) != bool(shown):
                failures.append(f"{name}: {'shown' if shown else 'missing'} for {level}")
            for key, value in shown.items():
                full = reference.family(name, "app").get(key)
                if value == 0 and full:
                    failures.append(f"{name} {dict(key)}: 0 for {level}, {full} for root")
                elif (
                    not page.is_counter(name)
                    and not re.fullmatch(MOVES, name)
                    and value != full
                    and not (re.fullmatch(SHARED, name)
                             and agree(name, key, urls[level], urls["root"]))
                ):
                    failures.append(f"{name} {dict(key)}: {value} for {level}, {full} for root")
                elif page.is_counter(name) and not re.fullmatch(PARTIAL, name) and full is None:
                    failures.append(f"{name} {dict(key)}: {value} for {level}, nothing for root")
    troubles = reference.family("procvitals_unreadable_total", "app")
    if any(("reason", "denied") in key for key in troubles):
        failures.append(f"root was denied something: {troubles}")
    for failure in failures:
        print("wrong:  ", failure)
    print(f"{len(there)} families at {len(levels)} levels, {len(failures)} wrong")
    return 1 if failures else 0


if sys.argv[1] == "hold":
    hold(*sys.argv[2:4])
else:
    sys.exit(compare(sys.argv[2], dict(pair.split("=", 1) for pair in sys.argv[3:])))
