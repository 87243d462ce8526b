"""What a probe says lies between two pages of a Go program itself, or is the same.

go_pages.py BEFORE PROBE AFTER [passed]: prints what does not. `passed`: the probe's figures were on
such a page.
"""
import sys

is_passed = sys.argv[4:] == ["passed"]


def figures(path):
    lines = (line.rsplit(" ", 1) for line in open(path) if line.startswith("go_"))
    return {name: float(value) for name, value in lines}


before, probe, after = map(figures, sys.argv[1:4])
wrong = [f"{name} is missing" for name in before
         if name not in probe and name != "go_memstats_lookups_total"]
grows = ("_total", "_count", "_sum", "_last_gc_time_seconds")
# Their own figures have only microseconds.
slack = 0 if is_passed else 1e-6
# Nothing changes these but a page of its own, by little.
still = {"go_info", "go_memstats_sys_bytes", "go_memstats_mcache_sys_bytes", "go_threads",
         "go_memstats_mcache_inuse_bytes", "go_memstats_buck_hash_sys_bytes"}
for name, value in probe.items():
    low, high = before.get(name), after.get(name)
    if low is None:
        if is_passed and name != "go_gc_cycles_total":
            wrong.append(f"{name} is not the program's")
    elif name.endswith(grows):
        if not low - slack <= value <= high + slack:
            wrong.append(f"{name}: {value} is not within {low} and {high}")
    elif name.split("{")[0] in still or is_passed and name.startswith("go_memstats_m"):
        if low == high and value != low:
            wrong.append(f"{name}: {value}, the program says {low}")
    elif is_passed:
        continue
    elif name == "go_goroutines":
        # A page of its own is served by goroutines.
        if not max(low, high) - 12 <= value <= max(low, high):
            wrong.append(f"{name}: {value}, the program says {low} and {high}")
    elif name.startswith("go_memstats_") and not min(low, high) * 0.5 <= value <= max(low, high) * 2:
        wrong.append(f"{name}: {value} is far from {low} and {high}")
if len(probe) < 28:
    wrong.append(f"only {len(probe)} figures")
print("\n".join(wrong))
sys.exit(bool(wrong))
