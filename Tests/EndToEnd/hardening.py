"""hardening.py [OPTION=VALUE]...: the rows of docs/hardening.md; runs inside the box of hardening.sh.

Each option is tried alone in a unit that has no other, and then all that procvitals.service has.
"""

import json
import os
import subprocess
import sys

from observer import *

signal.alarm(1200)

OPTIONS = [
    "ProtectProc=invisible",
    "ProtectProc=ptraceable",
    "ProtectProc=noaccess",
    "ProcSubset=pid",
    "PrivateUsers=yes",
    "PrivatePIDs=yes",
    "DynamicUser=yes",
    "PrivateTmp=yes",
    "ProtectHome=yes",
    "ProtectHome=tmpfs",
    "ProtectHome=read-only",
    "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6",
    "PrivateNetwork=yes",
    "IPAddressDeny=any",
    "SystemCallFilter=@system-service",
    "SystemCallFilter=~@privileged @resources",
    "ProtectControlGroups=yes",
    "ProtectKernelTunables=yes",
    "ProtectKernelLogs=yes",
    "ProtectKernelModules=yes",
    "ProtectClock=yes",
    "ProtectHostname=yes",
    "ProtectSystem=strict",
    "PrivateDevices=yes",
    "PrivateIPC=yes",
    "LockPersonality=yes",
    "MemoryDenyWriteExecute=yes",
    "NoNewPrivileges=yes",
    "RestrictNamespaces=yes",
    "RestrictRealtime=yes",
    "RestrictSUIDSGID=yes",
    "SystemCallArchitectures=native",
]
WHOLE = "procvitals.service"
CAPABILITIES = "CAP_DAC_READ_SEARCH CAP_SYS_PTRACE"
# Pid files of mode 0644 in places that options take away.
PLACES = ["/run/app.pid", "/tmp/app.pid", "/var/tmp/app.pid", "/home/app.pid"]
UNITS = "/run/systemd/system/"


def run(*words):
    done = subprocess.run(words, capture_output=True, text=True)
    return done.returncode == 0, done.stdout + done.stderr


def unit(option, capabilities):
    """The text of a unit with this option; for WHOLE the shipped one."""
    lines = ["[Service]"]
    if option == WHOLE:
        lines = [open("/usr/lib/systemd/system/" + WHOLE).read(), "[Service]", "ExecStart="]
    lines += [
        "Type=notify",
        "ExecStart=/usr/bin/procvitals --config.file=/opt/held/hardening.yaml"
        " --web.listen-address=unix:/run/hardening/socket",
        "RuntimeDirectory=hardening",
        "TimeoutStartSec=20",
        f"AmbientCapabilities={capabilities}",
        f"CapabilityBoundingSet={capabilities}",
    ]
    if option not in (WHOLE, "DynamicUser=yes"):
        lines.append("User=hardened")
    if option not in (WHOLE, ""):
        lines.append(option)
    return "\n".join(lines) + "\n"


def page(option, capabilities):
    """What the daemon shows in such a unit; None if it does not start."""
    with open(UNITS + "hardening.service", "w") as file:
        file.write(unit(option, capabilities))
    run("systemctl", "daemon-reload")
    # An option that this systemd does not know is ignored by it, which would look harmless.
    _, text = run("systemd-analyze", "verify", "--man=no", UNITS + "hardening.service")
    if "Unknown key" in text:
        return "unknown"
    try:
        ok, text = run("systemctl", "start", "hardening")
        if not ok:
            return None
        for _ in range(4):  # what is read on the side is there soon
            _, text = run("curl", "-sfm20", "--unix-socket", "/run/hardening/socket", "http://a/metrics")
            time.sleep(0.1)
        return Page(text=text)
    finally:
        run("systemctl", "stop", "hardening")
        run("systemctl", "reset-failed", "hardening")


def lost(reference, page, rows):
    """In words, what the second page lacks."""
    if page is None:
        return "does not start"
    if page == "unknown":
        return "this systemd does not have it"
    if not page.value("procvitals_target_up", "app"):
        return "every other process"
    there = reference.families("app") & rows.keys()
    gone = there - page.families("app")
    words = []
    for group in sorted({rows[name]["group"] for name in gone}):
        whole = {name for name in there if rows[name]["group"] == group}
        if whole <= gone:
            words.append(f"all of `{group}`")
            gone -= whole
    words += [f"`{name}`" for name in sorted(gone)]
    if page.family("process_info", "app").keys() != reference.family("process_info", "app").keys():
        words.append("true labels of `process_info`")
    places = [path for path in PLACES if not page.value("procvitals_target_up", path)]
    if places:
        words.append("pid files in " + ", ".join(f"`{os.path.dirname(path)}`" for path in places))
    return ", ".join(words) or "nothing"


def main(options):
    rows = {name: row for name, row in catalogue("/usr/bin/procvitals").items() if row["group"]}
    groups = sorted({row["group"] for row in rows.values()})
    targets = [{"name": path, "pid_file": path} for path in PLACES]
    targets.append({"name": "app", "process_name": "pv-rights", "collect": groups})
    for path in PLACES:
        with open(path, "w") as file:
            # The box takes them along.
            file.write(str(subprocess.Popen(["sleep", "1000"], user="watched").pid))
        os.chmod(path, 0o644)
    with open("/opt/held/hardening.yaml", "w") as file:
        json.dump({"targets": targets}, file)
    references = [page("", level) for level in ("", CAPABILITIES)]
    print("| Option | Lost without capabilities | Lost with `io.conf` |")
    print("|---|---|---|")
    for option in options:
        cells = [
            lost(reference, page(option, level), rows)
            for reference, level in zip(references, ("", CAPABILITIES))
        ]
        print(f"| `{option}` | {cells[0]} | {cells[1]} |", flush=True)


main(sys.argv[1:] or [*OPTIONS, WHOLE])
