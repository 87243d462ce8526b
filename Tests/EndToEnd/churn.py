"""churn.py PROCVITALS URL LOAD DIRECTORY SECONDS: three targets whose processes begin and end all the
time, scraped almost without a pause.

Targets: family (a parent and its children, family.pid), service (a program that is restarted,
service.pid), named (processes that go by pv-churn).
"""

import os
import signal
import sys
import threading
import time

from observer import *

program, url, load, directory, seconds = *sys.argv[1:5], float(sys.argv[5])
signal.alarm(int(seconds) + 120)
rows = catalogue(program)
TARGETS = ["family", "service", "named"]
failures = set()
latest = {}  # target -> its starts on the last page
turned = threading.Condition()
ends_at = time.monotonic() + seconds


def fail(what):
    if what not in failures:
        failures.add(what)
        print("wrong:  ", what, flush=True)


class Log:
    """What the parent of a target's processes saw."""

    def __init__(self):
        self.exits = {}
        self.cpu = 0.0

    def add(self, status, usage):
        key = ("exited", str(os.WEXITSTATUS(status))) if os.WIFEXITED(status) else (
            "signalled", signal.Signals(os.WTERMSIG(status)).name)  # fmt: skip
        self.exits[key] = self.exits.get(key, 0) + 1
        self.cpu += usage.ru_utime + usage.ru_stime


logs = {target: Log() for target in TARGETS}


def wait_until_seen(target, starts):
    """The end of what was never seen is nobody's business where the parent is not a target."""
    with turned:
        if not turned.wait_for(lambda: latest.get(target, 0) >= starts, timeout=30):
            fail(f"{target}: start number {starts} was not seen within 30 s")


def life(process, target, turn):
    process.do("brief_threads 3 10 0.001")
    process.do("user 0.01")
    process.do("contention 0.01")
    how = ["end exit 0", f"end exit {turn % 5}", "end signal 15", "end signal 9"][turn % 4]
    logs[target].add(*process.end(how))


def guarded(body):
    def run():
        try:
            body()
        except BaseException as problem:
            fail(f"{body.__name__}: {problem!r}")

    return threading.Thread(target=run, name=body.__name__)


def serve():
    turn = 0
    while time.monotonic() < ends_at:
        process = Load(load)
        with open(directory + "/service.new", "w") as file:
            file.write(f"{process.pid}\n")
        os.rename(directory + "/service.new", directory + "/service.pid")
        turn += 1
        wait_until_seen("service", turn)
        life(process, "service", turn)


def names():
    turn = 0
    while time.monotonic() < ends_at:
        group = [Load(directory + "/pv-churn") for _ in range(3)]
        turn += len(group)
        wait_until_seen("named", turn)
        for place, process in enumerate(group):
            life(process, "named", turn + place)


def breed():
    facts = parent.do(f"churn {seconds} {directory}/pv-other")
    log = logs["family"]
    log.cpu = facts.pop("cpu")
    for key, count in facts.items():
        if key.startswith("exit"):
            log.exits["exited", key[4:]] = count
        else:
            log.exits["signalled", signal.Signals(int(key[6:])).name] = count


def exits(page, target):
    return {
        (dict(key)["reason"], dict(key)["status"]): int(value)
        for key, value in page.family("process_exits_total", target).items()
    }


def look(highest):
    """One page: what must hold on each."""
    page = Page(url)
    for key, value in page.samples.items():
        if page.is_counter(key[0]):
            if value < highest.get(key, value):
                fail(f"{key[0]} {dict(key[1])} fell from {highest[key]} to {value}")
            highest[key] = value
    for key in highest.keys() - page.samples.keys():
        fail(f"{key[0]} {dict(key[1])} is gone, it was {highest[key]}")
    for target in TARGETS:
        threads = page.value("process_threads", target)
        states = page.value("process_thread_states", target)
        if "process_thread_states" in rows and states != threads:
            fail(f"{target}: the states are of {states} threads, process_threads is {threads}")
        starts = page.value("process_starts_total", target) or 0
        ended = sum(exits(page, target).values())
        now = page.value("procvitals_target_processes", target)
        # An end counts when it is known how.
        if starts - ended < now:
            fail(f"{target}: {starts} starts, {ended} exits and {now} processes")
        with turned:
            latest[target] = starts
            turned.notify_all()
    return page


for name in ["pv-churn", "pv-other"]:
    os.symlink(load, f"{directory}/{name}")
parent = Load(load)
with open(directory + "/family.pid", "w") as file:
    file.write(f"{parent.pid}\n")
highest, pages = {}, 1
while not look(highest).value("procvitals_target_up", "family"):
    pass
workers = [guarded(body) for body in (breed, serve, names)]
for worker in workers:
    worker.start()
while any(worker.is_alive() for worker in workers):
    look(highest)
    pages += 1
    # Now and then whole lives fall between two pages.
    if pages % 100 == 0:
        time.sleep(0.3)


def settled(page):
    return all(
        page.value("process_starts_total", target)
        - sum(exits(page, target).values())
        == page.value("procvitals_target_processes", target)
        for target in TARGETS
    ) and page.value("procvitals_target_processes", "family") == 1


deadline = time.monotonic() + 10
while not settled(page := look(highest)) and time.monotonic() < deadline:
    time.sleep(0.1)
usage = parent.do("usage")
own = usage["user"] + usage["system"]
logs["family"].cpu += own
page = look(highest)

# Before the exits of processes that lived between two pages were told, only the others counted.
is_complete = "process_short_lived_total" in rows
for target in TARGETS:
    log, counted = logs[target], exits(page, target)
    starts = page.value("process_starts_total", target)
    now = page.value("procvitals_target_processes", target)
    if starts - sum(counted.values()) != now:
        fail(f"{target}: {starts} starts − {sum(counted.values())} exits ≠ {now} processes")
    if target != "family" or is_complete:
        if counted != log.exits:
            fail(f"{target}: exits {counted}, its parent saw {log.exits}")
    for key, count in counted.items():
        if count > log.exits.get(key, 0):
            fail(f"{target}: {count} exits {key}, its parent saw {log.exits.get(key, 0)}")
    cpu = page.value("process_cpu_seconds_total", target)
    slack = 0.05 + 0.02 * log.cpu
    if cpu > log.cpu + slack:
        fail(f"{target}: {cpu} s of CPU, its processes used {log.cpu:.2f} s")
    # The record of a thread's end lacks what it ran since the last tick, and what the kernel needs to
    # take the process apart: a quarter of a millisecond for each of the five threads of a life.
    if is_complete and cpu < log.cpu - slack - 5 * 0.00025 * sum(log.exits.values()):
        fail(f"{target}: {cpu} s of CPU, its processes used {log.cpu:.2f} s")
    print(f"{target}: {starts:.0f} starts, {sum(log.exits.values())} ends, CPU {cpu:.2f} s of "
          f"{log.cpu:.2f} s")
    if sum(log.exits.values()) < 10:
        fail(f"{target}: hardly anything happened")
if not is_complete:
    print("note:    this build has no exit accounting: not all exits and CPU are expected")
if "process_thread_states" not in rows:
    fail("process_thread_states is missing")
print(f"{pages} pages, {len(highest)} counters, {len(failures)} wrong")
sys.exit(1 if failures else 0)
