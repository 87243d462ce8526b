# The status of the unit says in one line what is wrong: which targets are down, what cannot be read,
# and whether a new configuration is not in force.
. "$(dirname "$0")/lib.sh"
. "$HERE/box.sh"
box_with_unit

mentions() { [[ $(show StatusText) == *"$1"* ]]; }
lacks() { ! mentions "$1"; }
says() { poll 10 mentions "$1" || fail "no \"$1\" in the status: $(show StatusText)"; }
configure 'targets:\n  - {name: first, pid: 1}\n  - {name: away, pid_file: /run/away.pid}'
start_unit
says "1 of 2 targets up, 1 processes"
says "; down: away (pid_file missing)"
says "; denied: io"

# It changes with what it tells.
box sh -c 'sleep 1000 & echo $! > /run/away.pid; chmod 644 /run/away.pid' > /dev/null
page || fail "no page: $(journal)"
says "2 of 2 targets up, 2 processes"
! mentions down || fail "nothing is down any more: $(show StatusText)"
configure 'targets: nonsense'
box timeout 20 systemctl reload procvitals
says "the new configuration has errors, the old one holds"
configure 'targets: []'
box timeout 20 systemctl reload procvitals
poll 10 lacks errors || fail "the configuration is good: $(show StatusText)"
box systemctl stop procvitals
