# The Debian package has no flaw that lintian knows and all that belongs in it, the .rpm package has
# the same, and building them again elsewhere makes the same bytes.
. "$(dirname "$0")/lib.sh"
. "$HERE/package.sh"
need_packaging lintian objcopy readelf

package "$WORK/one" -Zgzip -z1
rpm_package "$WORK/one"
symbols=$WORK/one/procvitals-dbgsym_${DEB##*procvitals_}
(
  umask 077
  export TZ=Asia/Tokyo LANG=tr_TR.UTF-8 HOME=/nonexistent TMPDIR=$WORK
  package "$WORK/two" -Zgzip -z1
  rpm_package "$WORK/two"
)
cmp "$DEB" "$WORK/two/${DEB##*/}" || fail "the package differs when it is built again"
cmp "$RPM" "$WORK/two/${RPM##*/}" || fail "the .rpm package differs when it is built again"
cmp "$symbols" "$WORK/two/${symbols##*/}" || fail "debug symbols differ when they are built again"

# From a directory with a blank in its name, of another time.
mkdir -p "$WORK/a b/Sources/procvitals" "$WORK/a b/config/sub"
cd "$ROOT" || fail "there is no $ROOT"
cp -r Makefile README.md CHANGELOG.md LICENSE config docs packaging scripts systemd "$WORK/a b"
cp Sources/procvitals/Main.swift "$WORK/a b/Sources/procvitals"
ln -s "$ROOT/.build" "$WORK/a b/.build"
echo > "$WORK/a b/config/sub/of its own"
(
  export SOURCE_DATE_EPOCH=1000000000 # 2001-09-09 01:46:40 UTC
  ROOT="$WORK/a b"
  package "$ROOT/three" -Zgzip -z1
  rpm_package "$ROOT/three"
  [ "$(TZ=UTC dpkg-deb -c "$DEB" | grep '^-' | grep -vc ' 2001-09-09 01:46 ')" = 0 ] ||
    fail "times: $(dpkg-deb -c "$DEB")"
  times=$(rpm -qp --queryformat '%{BUILDTIME}\n[%{FILEMTIMES}\n]' "$RPM" | sort -u)
  [ "$times" = 1000000000 ] || fail "times in .rpm: $times"
) || exit
cd "$WORK/a b" || fail "there is no copy"
make -s install DESTDIR=relative BINARY="$PROCVITALS" > "$WORK/make" 2>&1 ||
  fail "make install: $(cat "$WORK/make")"
[ -f "relative/usr/local/share/procvitals/sub/of its own" ] || fail "a file of config/sub is lost"
[ -x relative/usr/local/bin/procvitals ] || fail "DESTDIR that is relative has no binary"
make -n build static | grep -qF " '$PWD=.' " || fail "the path of this directory has no quotes"

lintian --allow-root --fail-on error,warning "$DEB" "$symbols" > "$WORK/lintian" 2>&1 ||
  fail "lintian: $(grep '^[EW]:' "$WORK/lintian")"

dpkg-deb -R "$DEB" "$WORK/tree"
dpkg-deb -x "$symbols" "$WORK/symbols"
cd "$WORK/tree"

for file in usr/bin/procvitals usr/lib/systemd/system/procvitals.{service,socket} \
  etc/procvitals/procvitals.yaml usr/share/man/man1/procvitals.1.gz \
  usr/share/bash-completion/completions/procvitals usr/share/zsh/vendor-completions/_procvitals \
  usr/share/fish/vendor_completions.d/procvitals.fish \
  usr/share/procvitals/{procvitals.rules.yml,prometheus.yml,alertmanager.yml,compose.yaml} \
  usr/share/procvitals/dashboards/{processes,go-runtime,exporter}.json \
  usr/share/procvitals/grafana/provisioning/{datasources,dashboards}/procvitals.yml \
  usr/share/doc/procvitals/{README.md,CHANGELOG.md,copyright,changelog.gz}; do
  [ -s $file ] || fail "$file is missing"
done
for file in "$ROOT"/docs/*.md; do
  cmp "$file" "usr/share/doc/procvitals/docs/${file##*/}" || fail "${file##*/} is not what it was"
done
[ "$(cat DEBIAN/conffiles)" = /etc/procvitals/procvitals.yaml ] || fail "conffiles: $(cat DEBIAN/conffiles)"

# What completions offer is what the binary understands.
bash -n usr/share/bash-completion/completions/procvitals || fail "bash does not take its completions"
for file in usr/share/bash-completion/completions/procvitals \
  usr/share/zsh/vendor-completions/_procvitals usr/share/fish/vendor_completions.d/procvitals.fish; do
  for word in explain config.file web.systemd-socket; do
    grep -q -- "$word" $file || fail "$file does not complete $word"
  done
done

# Every library that the binary needs comes from a package that is named, and libc is new enough for
# relative relocations. What is loaded while running is recommended.
depends=$(dpkg-deb -f "$DEB" Depends)
for package in 'libc6 (>= 2.3[6-9]' libdeflate0 libpcre2-8-0 libsystemd0 libyaml-0-2; do
  grep -q -- "$package" <<< "$depends" || fail "Depends has no $package: $depends"
done
[ "$(dpkg-deb -f "$DEB" Recommends)" = "libcrypt1, libssl3t64 | libssl3" ] || fail "Recommends differs"

# No symbols and no path of this machine; the symbols belong to this very binary.
! readelf -SW usr/bin/procvitals | grep -qE '\.(symtab|debug_)' || fail "the binary is not stripped"
! readelf -d usr/bin/procvitals | grep -qE 'R(UN)?PATH' || fail "the binary has a search path"
here=(-e "$ROOT/Sources" -e "$ROOT/.build")
! grep -rqaF "${here[@]}" usr etc || fail "a path of this machine is in it"
identity=$(readelf -n usr/bin/procvitals | sed -n 's/.*Build ID: //p')
file=$WORK/symbols/usr/lib/debug/.build-id/${identity:0:2}/${identity:2}.debug
readelf -SW "$file" 2>&1 | grep -q '\.debug_info' || fail "no debug symbols for build $identity"
objcopy --decompress-debug-sections "$file" "$WORK/debug" || fail "debug symbols are damaged"
! grep -qaF "${here[@]}" "$WORK/debug" || fail "a path of this machine is in the debug symbols"

# One version everywhere.
[ "$(dpkg-deb -f "$DEB" Version)" = "$VERSION" ] || fail "the package has another version"
[ "$(usr/bin/procvitals --version)" = "procvitals $VERSION" ] || fail "the binary has another version"
zcat usr/share/doc/procvitals/changelog.gz | head -1 | grep -qF "procvitals ($VERSION) " ||
  fail "the changelog has another version"
zcat usr/share/man/man1/procvitals.1.gz | grep -qxF ".Os procvitals $VERSION" ||
  fail "the manual page has another version"

# The .rpm package: the same files but where these systems differ, and libraries as they name them.
[ "$(rpm -qp --queryformat '%{VERSION}' "$RPM")" = "$VERSION" ] || fail ".rpm has another version"
[ "$(rpm -qpc "$RPM")" = /etc/procvitals/procvitals.yaml ] || fail ".rpm has other configuration files"
find . -path ./DEBIAN -prune -o -type f -printf '/%P\n' |
  grep -vE '^/usr/share/(lintian|doc/procvitals/(changelog.gz|copyright)$)' | sort > "$WORK/files"
rpm -qp --queryformat '[%{FILEMODES:perms} %{FILENAMES}\n]' "$RPM" |
  sed -n 's/^-[^ ]* //p' | grep -v '^/usr/share/licenses/procvitals/LICENSE$' |
  sed 's,zsh/site-functions,zsh/vendor-completions,' | sort > "$WORK/rpm.files"
diff "$WORK/files" "$WORK/rpm.files" || fail "other files in .rpm than in the Debian package"
rpm -qp --requires "$RPM" > "$WORK/requires"
for library in 'libyaml-0.so.2()(64bit)' 'libsystemd.so.0()(64bit)' 'libc.so.6(GLIBC_ABI_DT_RELR)(64bit)'; do
  grep -qxF "$library" "$WORK/requires" || fail ".rpm does not require $library"
done

# What make install puts somewhere, make uninstall removes.
for target in install uninstall; do
  make -s -C "$ROOT" $target DESTDIR="$WORK/local" BINARY="$PROCVITALS" > "$WORK/make" 2>&1 ||
    fail "make $target: $(cat "$WORK/make")"
  [ $target = uninstall ] || [ -x "$WORK/local/usr/local/bin/procvitals" ] || fail "nothing installed"
done
[ "$(find "$WORK/local" -type f)" = "$WORK/local/etc/procvitals/procvitals.yaml" ] ||
  fail "make uninstall leaves: $(find "$WORK/local" -type f)"
