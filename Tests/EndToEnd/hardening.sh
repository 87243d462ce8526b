#!/bin/bash
# hardening.sh [OPTION=VALUE]...: what each hardening option of systemd takes away from the daemon, by
# experiment, as the table of docs/hardening.md; with arguments only their rows.
. "$(dirname "$0")/lib.sh"
. "$HERE/box.sh"
need python3
load_program
mkdir "$WORK/held"
mv "$WORK/load" "$WORK/held"
box_with_unit "$WORK/held:/opt/held" "$HERE:/opt/tests"
printf 'u hardened -\nu watched -\n' | box systemd-sysusers - || fail "systemd-sysusers"
box chown watched /opt/held
box systemd-run -q --unit=load -p User=watched -E PYTHONDONTWRITEBYTECODE=1 \
  python3 /opt/tests/rights.py hold /opt/held/load /opt/held || fail "systemd-run"
poll 30 test -e "$WORK/held/held" || fail "the load program: $(box journalctl -q -u load)"
box env PYTHONDONTWRITEBYTECODE=1 python3 /opt/tests/hardening.py "$@" || fail "see above"
