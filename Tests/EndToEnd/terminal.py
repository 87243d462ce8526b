"""terminal.py ROWS COLUMNS COMMAND...: runs a command on a terminal of its own.

Each line on standard input is done to it: `wait TEXT` until it has written that since the last wait,
`size ROWS COLUMNS`, `key CODE`. At the end the command's status is printed; what it has written goes
to the file $TRANSCRIPT.
"""

import fcntl
import os
import pty
import select
import struct
import sys
import termios
import time


def resize(terminal, rows, columns):
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", int(rows), int(columns), 0, 0))


pid, terminal = pty.fork()
if pid == 0:
    resize(0, *sys.argv[1:3])
    os.environ["TERM"] = "xterm"
    os.execvp(sys.argv[3], sys.argv[3:])
written, seen = b"", 0


def read(seconds):
    global written
    if select.select([terminal], [], [], seconds)[0]:
        try:
            written += os.read(terminal, 65536)
            return True
        except OSError:
            return False  # the other end is closed
    return True


def wait(text):
    global seen
    end = time.monotonic() + 30
    while text.encode() not in written[seen:]:
        if not read(0.1) or time.monotonic() > end:
            sys.exit(f"it has not written {text!r}, but {written[seen:]!r}")
    seen = written.index(text.encode(), seen) + len(text.encode())


for line in sys.stdin:
    verb, rest = line.rstrip("\n").split(" ", 1)
    if verb == "wait":
        wait(rest.encode().decode("unicode_escape"))
    elif verb == "size":
        resize(terminal, *rest.split())
    elif verb == "key":
        os.write(terminal, bytes([int(rest)]))
end = time.monotonic() + 30
status = (0, 0)
while status[0] == 0 and time.monotonic() < end:
    read(0.1)
    status = os.waitpid(pid, os.WNOHANG)
while select.select([terminal], [], [], 0)[0] and read(0):
    pass
open(os.environ["TRANSCRIPT"], "wb").write(written)
print(os.waitstatus_to_exitcode(status[1]) if status[0] else "it still runs")
