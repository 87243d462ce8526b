# On a fresh Debian 13 the package installs, starts and serves, with TLS and passwords, and goes.
. "$(dirname "$0")/lib.sh"
. "$HERE/box.sh"
. "$HERE/package.sh"
installs_on trixie
