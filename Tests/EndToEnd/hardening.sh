#!/bin/bash
# hardening.sh [OPTION=VALUE]...: what each hardening option of systemd takes away from the daemon, by
# experiment, as the table of docs/hardening.md; with arguments only their rows.
. "$(dirname "$0")/lib.sh"
. "$HERE/box.sh"
need python3
box_with_load
echo 'u hardened -' | box systemd-sysusers - 2> /dev/null || fail "systemd-sysusers"
box env PYTHONDONTWRITEBYTECODE=1 python3 /opt/tests/hardening.py "$@" || fail "see above"
box systemctl is-active -q load || fail "the load program ended before the table did"
