"""What a sample of a Go runtime costs: go.py SUBJECT SAMPLER READV.

CPU time per sample against a C loop that makes the same system call, on a program at rest; and how
much a program that allocates all the time does while it is sampled 900 times a second, against
while it is not. Rounds of both are interleaved, so that a noisy machine is noisy for both; the
ratios are the result.
"""
import json
import statistics
import subprocess
import sys
import time

subject, sampler, readv = sys.argv[1:]
ROUNDS, SAMPLES = 9, 2000


class Program:
    def __init__(self):
        self.process = subprocess.Popen(
            [subject], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        self.pid = str(self.process.pid)

    def ask(self, command):
        self.process.stdin.write(command + "\n")
        return self.process.stdout.readline().strip()

    def mallocs(self):
        self.ask("take")
        return json.loads(self.ask("tell"))["go_memstats_mallocs_total"]

    def end(self):
        self.process.stdin.close()
        self.process.wait()


def sample(pid, count=SAMPLES):
    lines = subprocess.run(
        [sampler, pid, str(count)], check=True, capture_output=True, text=True).stdout.splitlines()
    return int(lines[0]), "\n".join(lines[1:])


idle = Program()
idle.ask("gc 5")
pieces = sample(idle.pid, 10)[1]
ours, theirs = [], []
for _ in range(ROUNDS):
    ours.append(sample(idle.pid)[0])
    theirs.append(int(subprocess.run(
        [readv, idle.pid, str(SAMPLES)], input=pieces, check=True, capture_output=True,
        text=True).stdout))
idle.end()
a, b = statistics.median(ours), statistics.median(theirs)
print(f"a sample: {a / 1000:.1f} µs, the same call in C: {b / 1000:.1f} µs, ratio {a / b:.2f}")


def work(program, seconds):
    before, start = program.mallocs(), time.monotonic()
    time.sleep(seconds)
    return (program.mallocs() - before) / (time.monotonic() - start)


busy = Program()
busy.ask("storm 2")
alone, watched = [], []
for _ in range(ROUNDS):
    alone.append(work(busy, 1))
    watcher = subprocess.Popen(
        [sampler, busy.pid, "1000000", "900"], stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL)
    time.sleep(0.1)
    watched.append(work(busy, 1))
    watcher.kill()
    watcher.wait()
busy.ask("calm")
busy.end()
a, b = statistics.median(watched), statistics.median(alone)
print(f"a busy program allocates {a / b:.2f} times as much while it is sampled 900 times a second")
