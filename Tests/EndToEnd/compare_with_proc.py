"""compare_with_proc.py SERVER nginx=PID program=PID: what Prometheus says about the targets of
20_prometheus_chain.sh, against /proc read here. Tries for a minute, as both move."""

import glob
import json
import os
import sys
import time
import urllib.parse
import urllib.request

server = sys.argv[1]
pids = dict(argument.split("=") for argument in sys.argv[2:])
TICK = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
boot = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)


def processes():
    """pid -> (comm, exe, parent), of all processes."""
    found = {}
    for path in glob.glob("/proc/[0-9]*"):
        try:
            stat = open(path + "/stat").read()
            exe = os.readlink(path + "/exe")
        except OSError:
            continue
        comm = stat[stat.index("(") + 1 : stat.rindex(")")]
        found[int(path[6:])] = comm, exe, int(stat[stat.rindex(")") + 2 :].split()[1])
    return found


def members():
    """target -> its pids, by the rules of the configuration."""
    all_of_them = processes()
    master = int(pids["nginx"])
    return {
        "nginx": [p for p, (_, _, parent) in all_of_them.items() if master in (p, parent)],
        "redis": [p for p, (comm, _, _) in all_of_them.items() if comm == "redis-server"],
        "postgres": [
            p
            for p, (_, exe, _) in all_of_them.items()
            if exe.startswith("/usr/lib/postgresql/") and exe.endswith("/bin/postgres")
        ],
        "program": [int(pids["program"])],
    }


def facts(pid):
    """The kernel's figures of one process."""
    stat = open(f"/proc/{pid}/stat").read()
    field = [None, None, None] + stat[stat.rindex(")") + 2 :].split()
    return {
        "process_resident_memory_bytes": int(open(f"/proc/{pid}/statm").read().split()[1]) * PAGE,
        "process_virtual_memory_bytes": int(field[23]),
        "process_open_fds": len(os.listdir(f"/proc/{pid}/fd")),
        "process_threads": int(field[20]),
        "process_cpu_seconds_total": (int(field[14]) + int(field[15])) / TICK,
        "process_start_time_seconds": boot + int(field[22]) / TICK,
        "procvitals_target_processes": 1,
        "procvitals_target_up": 1,
    }


def expected():
    figures = {}
    for target, of_target in members().items():
        rows = [facts(pid) for pid in of_target]
        figures[target] = {name: sum(row[name] for row in rows) for name in rows[0]}
        figures[target]["process_start_time_seconds"] = min(
            row["process_start_time_seconds"] for row in rows
        )
        figures[target]["procvitals_target_up"] = 1
    return figures


def answer(query):
    url = f"http://{server}/api/v1/query?" + urllib.parse.urlencode({"query": query})
    return json.load(urllib.request.urlopen(url, timeout=10))["data"]["result"]


# How far apart may they be: a page or two being swapped in, the tick between two reads.
TOLERANCE = {
    "process_resident_memory_bytes": 64 * 1024,
    "process_cpu_seconds_total": 0.05,
    "process_start_time_seconds": 1.0,
}


def differences():
    wrong = []
    for target, figures in expected().items():
        for name, value in figures.items():
            result = answer(f'{name}{{job="procvitals",target="{target}"}}')
            if len(result) != 1:
                wrong.append(f"{name} of {target}: {len(result)} series instead of one")
                continue
            got = float(result[0]["value"][1])
            if abs(got - value) > TOLERANCE.get(name, 0):
                wrong.append(f"{name} of {target}: Prometheus says {got}, /proc says {value}")
    if [r["value"][1] for r in answer('up{job="procvitals"}')] != ["1"]:
        wrong.append("the scrape is not up")
    cpu = answer('process_cpu_seconds_total{target="program"}')
    if not cpu or float(cpu[0]["value"][1]) < 1.2:
        wrong.append("the Python program burned 1.2 s of CPU, which is not seen")
    if not answer('process_threads{target="nginx",service="web"}'):
        wrong.append("the label of nginx is missing")
    return wrong


end = time.monotonic() + 60
while True:
    wrong = differences()
    if not wrong:
        break
    if time.monotonic() > end:
        sys.exit("\n".join(wrong))
    time.sleep(0.5)
print("all figures agree")
