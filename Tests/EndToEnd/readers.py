"""What the kernel says about a family: a reader of one process for each that can be read directly, and
how it combines over the processes of a target. Nothing here comes from procvitals."""

import os
import re

from observer import *


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


def by_name(*readers):
    """Sums over the threads of a name; a reader tells the value of `mode` and a number."""

    def read(p):
        sums = {}
        for thread in p.threads():
            name = folded(text(f"{p.path}{thread}/comm"))
            for reader in readers:
                mode, number = reader(p, thread)
                key = ((("mode", mode),) if mode else ()) + (("thread", name),)
                sums[key] = sums.get(key, 0) + number
        return sums

    return read


def stat_of(field, mode=None, scale=1):
    return lambda p, thread: (mode, p.stat(field, of=thread) / scale)


def status_of(name, mode):
    return lambda p, thread: (mode, p.status(name, of=thread))


def io_of(name, mode):
    return lambda p, thread: (mode, p.io(name, of=thread))


LIMITS = {
    "cpu_seconds": "Max cpu time", "file_size_bytes": "Max file size",
    "data_bytes": "Max data size", "stack_bytes": "Max stack size",
    "core_bytes": "Max core file size", "resident_bytes": "Max resident set",
    "processes": "Max processes", "open_files": "Max open files",
    "memlock_bytes": "Max locked memory", "address_space_bytes": "Max address space",
    "locks": "Max file locks", "pending_signals": "Max pending signals",
    "msgqueue_bytes": "Max msgqueue size", "nice_priority": "Max nice priority",
    "realtime_priority": "Max realtime priority",
    "realtime_timeout_microseconds": "Max realtime timeout",
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


def cgroup(controller, new, old, scale=(1, 1)):
    """A number of the control group's files, of version 2 and of version 1: FILE, or FILE and KEY."""

    def read(p):
        directories = cgroup_files(p.pid)
        is_old = controller in directories
        if not (old if is_old else new) or not (is_old or "" in directories):
            return None
        name, *key = (old if is_old else new).split()
        try:
            content = text(f"{directories[controller if is_old else ''][0]}/{name}")
        except GONE:
            return None
        found = re.search(rf"^{key[0]} (\d+)" if key else r"^(\d+)$", content, re.M)
        # The largest number is what version 1 says for "no limit".
        if not found or int(found[1]) > 1 << 62:
            return None
        return int(found[1]) * scale[is_old]

    return read


def cpu_limit(p):
    directories = cgroup_files(p.pid)
    if "cpu" in directories:
        files = (f"{directories['cpu'][0]}/cpu.cfs_{name}_us" for name in ("quota", "period"))
        quota, period = (text(file).strip() for file in files)
    else:
        try:
            quota, period = text(directories[""][0] + "/cpu.max").split()
        except (KeyError, *GONE):
            return None
    return int(quota) / int(period) if quota not in ("max", "-1") else None


def events(p):
    directories = cgroup_files(p.pid)
    if "memory" in directories:
        path = directories["memory"][0]
        found = [("max", text(path + "/memory.failcnt"))]
        found += re.findall(r"^(oom_kill) (\d+)$", text(path + "/memory.oom_control"), re.M)
    else:
        try:
            lines = text(directories[""][0] + "/memory.events")
        except (KeyError, *GONE):
            return {}
        found = re.findall(r"^(\w+) (\d+)$", lines, re.M)
    return {(("event", name),): int(count) for name, count in found}


def swap_limit(p):
    memory, both = (
        cgroup("memory", "", f"memory.{name}limit_in_bytes")(p) for name in ("", "memsw.")
    )
    if memory and both:
        return both - memory
    return cgroup("memory", "memory.swap.max", "")(p)


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
    "process_cgroup_cpu_limit_cores": (min, cpu_limit),
    "process_cgroup_cpu_periods_total": (
        max, cgroup("cpu", "cpu.stat nr_periods", "cpu.stat nr_periods")),
    "process_cgroup_cpu_seconds_total": (
        max, cgroup("cpuacct", "cpu.stat usage_usec", "cpuacct.usage", (1e-6, 1e-9))),
    "process_cgroup_cpu_throttled_periods_total": (
        max, cgroup("cpu", "cpu.stat nr_throttled", "cpu.stat nr_throttled")),
    "process_cgroup_cpu_throttled_seconds_total": (
        max, cgroup("cpu", "cpu.stat throttled_usec", "cpu.stat throttled_time", (1e-6, 1e-9))),
    "process_cgroup_memory_bytes": (
        max, cgroup("memory", "memory.current", "memory.usage_in_bytes"), 1 << 18),
    "process_cgroup_memory_events_total": (max, events),
    "process_cgroup_memory_high_bytes": (min, cgroup("memory", "memory.high", "")),
    "process_cgroup_memory_limit_bytes": (
        min, cgroup("memory", "memory.max", "memory.limit_in_bytes")),
    "process_cgroup_memory_peak_bytes": (
        max, cgroup("memory", "memory.peak", "memory.max_usage_in_bytes"), 1 << 18),
    "process_cgroup_memory_swap_bytes": (
        max, cgroup("memory", "memory.swap.current", "memory.stat total_swap")),
    "process_cgroup_memory_swap_limit_bytes": (min, swap_limit),
    "process_cgroup_tasks": (max, cgroup("pids", "pids.current", "pids.current")),
    "process_cgroup_tasks_limit": (min, cgroup("pids", "pids.max", "pids.max")),
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
    "process_memory_maps": (max, Process.maps),
    "process_memory_maps_max": (min, lambda p: int(text("/proc/sys/vm/max_map_count"))),
    "process_minor_page_faults_total": (sum, lambda p: p.stat(10)),
    "process_network_receive_bytes_total": (max, lambda p: p.net("InOctets")),
    "process_network_transmit_bytes_total": (max, lambda p: p.net("OutOctets")),
    "process_nice": (max, lambda p: p.stat(19)),
    "process_oom_score": (max, lambda p: int(text(p.path + "/oom_score"))),
    "process_oom_score_adj": (max, lambda p: int(text(p.path + "/oom_score_adj"))),
    "process_open_fds": (sum, lambda p: len(os.listdir(p.path + "/fd"))),
    "process_page_tables_bytes": (sum, status("VmPTE")),
    "process_proportional_memory_bytes": (sum, lambda p: p.rollup("Pss"), 1 << 19),
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
    "process_thread_count": (sum, thread_names),
    "process_thread_states": (sum, thread_states),
    "process_threads": (sum, lambda p: p.stat(20)),
    "process_unique_memory_bytes": (
        sum, lambda p: p.rollup("Private_Clean", "Private_Dirty"), 1 << 18),
    "process_virtual_memory_bytes": (sum, lambda p: p.stat(23)),
    "process_virtual_memory_max_bytes": (min, limit("Max address space")),
    "process_virtual_memory_peak_bytes": (max, status("VmPeak")),
    "process_wait_channels": (sum, wait_channels),
    "process_thread_context_switches_total": (sum, by_name(
        status_of("voluntary_ctxt_switches", "voluntary"),
        status_of("nonvoluntary_ctxt_switches", "involuntary"))),
    "process_thread_cpu_seconds_total": (
        sum, by_name(stat_of(14, "user", TICK), stat_of(15, "system", TICK))),
    "process_thread_io_storage_bytes_total": (sum, by_name(
        io_of("read_bytes", "read"), io_of("write_bytes", "write"))),
    "process_thread_major_page_faults_total": (sum, by_name(stat_of(12))),
    "process_thread_minor_page_faults_total": (sum, by_name(stat_of(10))),
}  # fmt: skip

# Sums over threads, of which /proc only tells while they live.
OF_THREADS = r"process_(run_\w+|context_switches_\w+|thread_\w+_total)"
# What is read on the side may be some scrapes old; of pending signals the kernel counts those of all
# processes of the user, among which Go programs send themselves some all the time.
PATIENT = r"process_(proportional|unique)_\w+|process_memory_maps|process_signals_pending"
# The control groups of the other processes are the machine's, which never rests.
OF_APP = r"process_(cgroup|pressure)_\w+"
