"""container.py ROOT UID GID [CAPABILITY]... -- PROGRAM [ARGUMENT]...

Becomes the program as a container runtime starts it: below a root of its own, as that user, without
other groups, with no_new_privs, and with the capabilities (as Kubernetes calls them) as the bounding
set only, which makes them those of root and of nobody else.
"""

import ctypes
import os
import sys

NUMBERS = {"DAC_READ_SEARCH": 2, "NET_ADMIN": 12, "SYS_PTRACE": 19}
PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 24, 38

separator = sys.argv.index("--")
root, uid, gid, *names = sys.argv[1:separator]
program = sys.argv[separator + 1 :]
prctl = ctypes.CDLL(None, use_errno=True).prctl
os.chroot(root)
os.chdir("/")
kept = {NUMBERS[name] for name in names}
for number in range(64):
    if number not in kept:
        prctl(PR_CAPBSET_DROP, number, 0, 0, 0)
os.setgroups([])
os.setresgid(int(gid), int(gid), int(gid))
os.setresuid(int(uid), int(uid), int(uid))
prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
os.execve(program[0], program, {"PATH": "/usr/bin"})
