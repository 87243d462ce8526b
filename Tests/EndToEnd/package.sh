# Debian packages for tests; sourced after lib.sh and box.sh.

# package DIRECTORY [DPKG-DEB-OPTION]...: builds the package there; sets DEB, its file, and VERSION.
package() {
  need dh dpkg-deb make
  VERSION=$("$ROOT/scripts/version") || fail "there is no version"
  "$ROOT/packaging/deb" "$PROCVITALS" "$@" > "$WORK/built" 2>&1 || fail "$(cat "$WORK/built")"
  DEB=$1/procvitals_${VERSION}_$(dpkg --print-architecture).deb
  [ -s "$DEB" ] || fail "there is no $DEB"
}

# box_with_package [SUITE]: a box with the package of this version at /opt/package/now.deb and a newer
# one at next.deb, on the machine's own tree or on a fresh one of that Debian.
box_with_package() {
  need curl nsenter findmnt setpriv
  local reason
  reason=$(box_possible) || skip "$reason"
  box_possible # sets box_hierarchy
  if [ $# -gt 0 ]; then
    export BOX_BASE=$ROOT/.build/trees/$1
    [ -d "$BOX_BASE" ] || skip "there is no tree of Debian $1; make test-package makes it"
  fi
  mkdir "$WORK/package"
  package "$WORK/built.debs" -Zgzip -z1
  cp "$DEB" "$WORK/package/now.deb"
  dpkg-deb -R "$DEB" "$WORK/tree"
  sed -i "s/^Version: .*/Version: $VERSION+next/" "$WORK/tree/DEBIAN/control"
  dpkg-deb -Zgzip -z1 --root-owner-group -b "$WORK/tree" "$WORK/package/next.deb" > /dev/null
  finish() { box_stop; }
  box_start "$WORK/package:/opt/package"
  box rm -f /usr/sbin/policy-rc.d # it would keep the package from starting its service
}

# files FILE: all files of the box that are neither dpkg's nor a log nor a cache, with what is in them.
files() {
  box find / -xdev \( -path /var/lib/dpkg -o -path /var/log -o -path /var/cache -o -path /var/lib/apt \
    -o -path /opt/package -o -path /etc/ld.so.cache \) -prune -o -printf '%y %m %u %p %l\n' | sort > "$1"
}

# install FILE: as an administrator does. removed WHAT: remove or purge.
install_package() {
  box env DEBIAN_FRONTEND=noninteractive dpkg --install "/opt/package/$1" > "$WORK/dpkg" 2>&1 ||
    fail "dpkg --install $1: $(cat "$WORK/dpkg")"
}
remove_package() {
  box dpkg "--$1" procvitals > "$WORK/dpkg" 2>&1 || fail "dpkg --$1: $(cat "$WORK/dpkg")"
}
