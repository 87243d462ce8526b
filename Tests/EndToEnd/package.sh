# Debian packages for tests; sourced after lib.sh and box.sh.

need_packaging() {
  local tool
  for tool in "$@"; do
    command -v "$tool" > /dev/null || skip "$tool is not installed; make deps-package does that"
  done
}

# package DIRECTORY [DPKG-DEB-OPTION]...: builds the package there; sets DEB, its file, and VERSION.
package() {
  need_packaging dh dpkg-deb
  VERSION=$("$ROOT/scripts/version") || fail "there is no version"
  "$ROOT/packaging/deb" "$PROCVITALS" "$@" > "$WORK/built" 2>&1 || fail "$(cat "$WORK/built")"
  DEB=$1/procvitals_${VERSION}_$(dpkg --print-architecture).deb
  [ -s "$DEB" ] || fail "there is no $DEB"
}

# rpm_package DIRECTORY: builds the .rpm package there, after the other; sets RPM, its file.
rpm_package() {
  need_packaging rpm
  [ -x "$ROOT/.build/nfpm/bin/nfpm" ] || skip "nfpm is not installed; make deps-package does that"
  "$ROOT/packaging/rpm" "$PROCVITALS" "$1" > "$WORK/built" || fail "packaging/rpm: $(cat "$WORK/built")"
  RPM=$1/procvitals-$VERSION-1.$(uname -m).rpm
}

# box_with_package [SUITE]: a box with the package of this version at /opt/package/now.deb and a newer
# one at next.deb, on the machine's own tree or on a fresh one of that Debian.
box_with_package() {
  need curl nsenter findmnt setpriv
  local reason
  reason=$(box_possible) || skip "$reason"
  box_possible # sets box_hierarchy
  if [ $# -gt 0 ]; then
    export BOX_TREE=$ROOT/.build/trees/$1
    [ -d "$BOX_TREE" ] || skip "there is no tree of Debian $1; make test-package makes it"
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

# files FILE: all files of the box where packages put theirs, but dpkg's own, logs and caches.
files() {
  box find /etc /srv /usr /var \( -path /var/lib/dpkg -o -path /var/log -o -path /var/cache \) -prune \
    -o -printf '%y %m %u %p %l\n' | sort > "$1"
}

# install_package FILE: as an administrator does it. remove_package remove|purge
install_package() {
  box env DEBIAN_FRONTEND=noninteractive dpkg --install "/opt/package/$1" > "$WORK/dpkg" 2>&1 ||
    fail "dpkg --install $1: $(cat "$WORK/dpkg")"
}
remove_package() {
  box dpkg "--$1" procvitals > "$WORK/dpkg" 2>&1 || fail "dpkg --$1: $(cat "$WORK/dpkg")"
}

# NAME: whether its sidecar watches it and nothing else, or has ended.
sidecar_watches() {
  box curl -sf -m 10 --unix-socket "/run/procvitals/$1.sock" http://box/metrics > "$WORK/page" &&
    [ "$(value procvitals_target_processes target="$1")" = 1 ] &&
    [ "$(series procvitals_target_up | grep -c .)" = 1 ]
}
sidecar_ended() { [ "$(box systemctl show -P ActiveState "procvitals@$1")" = inactive ]; }

# installs_on SUITE: the claim of 74 and 75. Nothing but that Debian's own packages comes along, and
# the libraries that are loaded while running come with it.
installs_on() {
  need htpasswd openssl
  box_with_package "$1"
  box env DEBIAN_FRONTEND=noninteractive apt-get install --quiet --yes \
    /opt/package/now.deb > "$WORK/apt" 2>&1 ||
    fail "apt-get install: $(cat "$WORK/apt") (is .build/trees/$1 out of date? Remove it)"
  is ActiveState active "after the installation"
  is UnitFileState enabled "after the installation"
  page || fail "no page: $(journal)"
  expect "target_up of itself" "$(value procvitals_target_up target=procvitals)" == 1
  local main
  main=$(show MainPID)
  box systemctl reload procvitals || fail "reload: $(journal)"
  is ActiveState active "after a reload"
  is MainPID "$main" "after a reload"
  echo "systemd $(box systemctl --version | sed -n '1s/systemd //p')"

  printf '[Service]\nExecStart=/bin/sleep infinity\n' | box tee /run/systemd/system/app.service > /dev/null
  box systemctl daemon-reload
  box systemctl enable --now --quiet procvitals@app 2> /dev/null
  box systemctl start app
  poll 20 sidecar_watches app || fail "the sidecar: $(box journalctl -q -n 20 -u procvitals@app)"
  box systemctl stop app
  poll 20 sidecar_ended app || fail "the sidecar stays: $(box journalctl -q -n 20 -u procvitals@app)"
  box systemctl start app
  poll 20 sidecar_watches app || fail "not again: $(box journalctl -q -n 20 -u procvitals@app)"

  local certificate=$WORK/package/certificate.pem key=$WORK/package/key.pem
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=box -days 2 \
    -keyout "$key" -out "$certificate" 2> /dev/null
  chmod 644 "$key"
  box cp /opt/package/certificate.pem /opt/package/key.pem /etc/procvitals/
  {
    echo 'tls_server_config: {cert_file: certificate.pem, key_file: key.pem}'
    echo 'basic_auth_users:'
    htpasswd -nbB -C 5 prometheus secret | sed -n 's/:/: /; s/^./  &/p'
  } | box tee /etc/procvitals/web.yaml > /dev/null
  echo 'ARGS="--web.config.file=/etc/procvitals/web.yaml"' | box tee /etc/default/procvitals > /dev/null
  box systemctl restart procvitals || fail "restart with TLS: $(journal)"
  box curl -ksf -m 20 -u prometheus:secret https://127.0.0.1:9656/metrics > "$WORK/page" ||
    fail "no page over TLS with a password: $(journal)"
  expect "target_up of itself" "$(value procvitals_target_up target=procvitals)" == 1

  box apt-get purge --quiet --yes procvitals > "$WORK/apt" 2>&1 || fail "purge: $(cat "$WORK/apt")"
  is ActiveState inactive "after the purge"
  sidecar_ended app || fail "the sidecar runs after the purge"
  ! box test -e /etc/systemd/system/app.service.wants || fail "the sidecar is enabled after the purge"
}
