# Every command of the project; .ci/run uses the same ones.

PREFIX     ?= /usr/local
SYSCONFDIR ?= /etc
# systemd looks below these prefixes only.
UNITDIR    ?= $(if $(filter /usr /usr/local,$(PREFIX)),$(PREFIX)/lib,/etc)/systemd/system
SYSUSERSDIR ?= $(if $(filter /usr /usr/local,$(PREFIX)),$(PREFIX)/lib,/etc)/sysusers.d
TMPFILESDIR ?= $(if $(filter /usr /usr/local,$(PREFIX)),$(PREFIX)/lib,/etc)/tmpfiles.d
MANDIR     ?= $(PREFIX)/share/man
DOCDIR     ?= $(PREFIX)/share/doc/procvitals
BASHDIR    ?= $(PREFIX)/share/bash-completion/completions
ZSHDIR     ?= $(PREFIX)/share/zsh/site-functions
FISHDIR    ?= $(PREFIX)/share/fish/vendor_completions.d
STRIPPING  ?= -s
DIST       ?= dist
ADDRESS    ?= 127.0.0.1:9656

BINARY  := .build/release/procvitals
# The linker of the toolchain, for relocations that take a sixteenth less room, and for code that is
# there once although several functions come to it. Functions that nobody calls go: each has a
# section of its own, and none is exported.
RELEASE := -c release --static-swift-stdlib -Xswiftc -use-ld=lld -Xlinker -z \
  -Xlinker pack-relative-relocs -Xlinker --icf=all -Xlinker --no-export-dynamic \
  -Xswiftc -Xfrontend -Xswiftc -function-sections
# Nothing is looked up beside the binary or bound after its start, and no path of this machine is in
# it: builds elsewhere come to the same file.
RELEASE += --disable-local-rpath -Xlinker -z -Xlinker now -Xswiftc -file-prefix-map \
  -Xswiftc '$(CURDIR)=.' -Xcc '-ffile-prefix-map=$(CURDIR)=.'

# One file without shared libraries, for containers and for machines that are not Debian. It cannot
# load a library while running, so it has those for TLS and passwords in it, and does without
# libsystemd.
VERSION      = $(shell scripts/version)
STATIC       = $(DIST)/procvitals-$(VERSION)-linux-$(subst aarch64,arm64,$(subst x86_64,amd64,$(shell uname -m)))
STATIC_BUILD := $(filter-out --static-swift-stdlib,$(RELEASE)) -Xswiftc -static-executable \
  --disable-default-traits --traits Static --scratch-path .build/static
# All but those that boot a systemd or wait for what it is told (01 30 to 35 38 39 63 to 71), that are
# of packages or of the size of the shipped binary (10 72 to 76 82), that put a library into the daemon
# or build code of their own (42 43), and of the whole chain and long ones (20 23 24 52 89 to 91).
STATIC_TESTS := 02 03 04 05 06 07 08 09 11 12 13 14 15 16 17 18 19 21 22 25 26 27 28 29 36 37 40 41 44 \
  45 46 47 48 49 50 51 53 54 55 56 57 58 59 60 61 62 92 93 94 95
IMPORTS := --explicit-target-dependency-import-check error

# What a Swift toolchain on Debian needs to run and to link, and the libraries procvitals uses.
BUILD_PACKAGES := binutils ca-certificates git libc6-dev libcurl4 libgcc-12-dev|libgcc-14-dev \
  libncurses6 libsqlite3-0 libstdc++-12-dev|libstdc++-14-dev libxml2 pkg-config|pkgconf tzdata \
  zlib1g-dev libdeflate-dev libpcre2-dev libssl-dev libsystemd-dev libyaml-dev

# What the tests start, and the tools they look through.
TEST_PACKAGES := apache2-utils chromium curl dbus docker-compose fonts-dejavu-core gcc \
  golang-1.19-go|golang-go iproute2 nginx-light|nginx openssl postgresql procps prometheus \
  prometheus-alertmanager prometheus-node-exporter prometheus-process-exporter protobuf-compiler \
  python3 python3-prometheus-client python3-protobuf python3-venv python3-yaml redis-server \
  slowhttptest strace systemd testssl.sh tidy util-linux wrk

# What the tests of Go runtimes start and compile with; other toolchains are fetched below .build.
GO_PACKAGES := gcc golang-1.19-go libc6-dev prometheus prometheus-node-exporter python3 python3-pip

# What makes packages and looks at them.
PACKAGING_PACKAGES := debhelper dpkg-dev git lintian mmdebstrap python3 python3-venv rpm

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help deps deps-test deps-package build build-echo static run test unit e2e test-systemd \
  test-static test-package trees hardening churn slow tls fuzz check walls deb rpm lint format golden \
  fixture bench bench-discovery bench-http deps-go test-go go-layouts bench-go install uninstall \
  clean dashboards screenshots

help: ## print this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' Makefile

deps: ## install the Debian packages that building needs (nothing when all are there)
	@scripts/install-packages building $(foreach p,$(BUILD_PACKAGES),'$(p)')

deps-test: ## install the Debian packages that the tests need; starts no service
	@scripts/install-packages testing $(foreach p,$(TEST_PACKAGES),'$(p)')
	@scripts/install-linters
	@scripts/install-otlp
	@scripts/install-victoria-metrics

deps-package: ## install what makes packages: Debian packages, and nfpm below .build
	@scripts/install-packages packaging $(foreach p,$(PACKAGING_PACKAGES),'$(p)')
	@scripts/install-nfpm

deps-go: ## install what the tests of Go runtimes need, Debian's Go 1.19 among it
	@scripts/install-packages 'testing Go runtimes' $(GO_PACKAGES)

build: ## build the daemon: .build/release/procvitals
	swift build $(RELEASE) --product procvitals

build-echo: ## build the echo program that tests drive: .build/release/EchoServer
	swift build $(RELEASE) --product EchoServer

static: deps ## build one file without shared libraries: dist/procvitals-VERSION-linux-amd64
	swift build $(STATIC_BUILD) --product procvitals
	install -D -m 755 -s .build/static/release/procvitals '$(STATIC)'
	scripts/walls --static '$(STATIC)'

run: deps build ## build and start on ADDRESS (127.0.0.1:9656), watching itself
	@echo "metrics  http://$(ADDRESS)/metrics"
	@echo "health   http://$(ADDRESS)/-/healthy"
	@echo "stop     Ctrl-C"
	@exec '$(BINARY)' --web.listen-address=$(ADDRESS)

test: deps deps-test unit e2e ## all tests, unit and end to end

unit: ## unit tests
	@Tests/GoMatrix/run quick
	SWIFT_BACKTRACE=enable=no swift test $(IMPORTS)

e2e: build build-echo ## end-to-end tests against the release binary; ONLY='05 11' runs some
	Tests/EndToEnd/run $(ONLY)

test-systemd: deps deps-test deps-package build build-echo trees ## the daemon as a unit, in a throw-away systemd; needs root
	Tests/EndToEnd/run systemd

test-package: deps deps-test deps-package build build-echo trees ## the package on fresh trees of Debian 12 and 13; needs root
	Tests/EndToEnd/run 72 73 74 75 82

# Downloaded once; remove .build/trees to have newer ones.
trees:
	scripts/debian-tree bookworm '$(BINARY)'
	scripts/debian-tree trixie '$(BINARY)'

test-static: deps deps-test static build build-echo ## the end-to-end tests against what make static builds; some minutes
	PROCVITALS="$$(realpath '$(STATIC)')" Tests/EndToEnd/run $(STATIC_TESTS)

hardening: build ## find out anew what each hardening option costs: the table of docs/hardening.md
	Tests/EndToEnd/hardening.sh > .build/hardening
	sed -i '/^|/,$$d' docs/hardening.md
	grep '^|' .build/hardening >> docs/hardening.md

churn: build ## a minute of forks, execs and ends in which no counter may fall; CHURN_SECONDS=600
	CHURN_SECONDS=$(or $(CHURN_SECONDS),60) Tests/EndToEnd/run 23

tls: build build-echo ## all that testssl.sh looks for, and its grade; some minutes
	TLS_FULL=1 CHURN_SECONDS=300 Tests/EndToEnd/run 55

slow: build build-echo ## slowhttptest in its four modes, a minute each; SLOW_SECONDS=240
	SLOW_SECONDS=$(or $(SLOW_SECONDS),60) CHURN_SECONDS=$$((4 * $(or $(SLOW_SECONDS),60))) \
	  Tests/EndToEnd/run 52

test-go: deps-go build ## every Go version and form against what the program says itself; half an hour
	Tests/GoMatrix/run
	Tests/EndToEnd/run 80

go-layouts: ## write Sources/GoRuntime/Layouts.swift anew from the toolchains of Tests/GoMatrix/versions
	Tests/GoMatrix/run layouts

fuzz: ## look for bytes that break a parser, for FUZZ_SECONDS=60 each: requests, Go programs
	Tests/Fuzz/run Requests $(or $(FUZZ_SECONDS),60)
	Tests/Fuzz/run GoRuntime $(or $(FUZZ_SECONDS),60)

check: deps deps-test deps-package lint walls ## everything a change must pass: format, walls, imports, tests
	swift build $(IMPORTS) --build-tests
	$(MAKE) --no-print-directory build
	scripts/walls --binary '$(BINARY)'
	scripts/debian-tree bookworm '$(BINARY)'
	$(MAKE) --no-print-directory test

walls: ## check the rules that no compiler checks, and that the check bites
	scripts/walls
	Tests/EndToEnd/walls_bite.sh

lint: ## check the format of all Swift files
	swift format lint --strict --parallel --recursive Package.swift Sources Tests

format: ## format all Swift files in place
	swift format --in-place --parallel --recursive Package.swift Sources Tests

golden: build ## rewrite golden files and generated documents, then fail so that you look at the diff
	status=0; UPDATE_GOLDEN=1 SWIFT_BACKTRACE=enable=no swift test || status=$$?; \
	  scripts/manual '$(BINARY)' > packaging/procvitals.1 && exit $$status

screenshots: build ## make the pictures of the README anew: docs/page.png, docs/page-dark.png; needs root
	PICTURES='$(CURDIR)/docs' Tests/EndToEnd/run 96

dashboards: ## write config/dashboards anew; their source is scripts/dashboards
	scripts/dashboards

fixture: ## record processes: PID='812 813' NAME=web makes Tests/Fixtures/web.tree, names scrubbed
	@test -n '$(PID)' || { echo "say which: make fixture PID=812 NAME=web" >&2; exit 2; }
	@scripts/fixture $(PID) > Tests/Fixtures/.new
	@mv Tests/Fixtures/.new 'Tests/Fixtures/$(or $(NAME),recorded).tree'
	@echo 'Tests/Fixtures/$(or $(NAME),recorded).tree'

deb: deps deps-package build ## the Debian package, and its debug symbols: dist/procvitals_VERSION_amd64.deb
	packaging/deb '$(BINARY)' '$(DIST)'

rpm: deps deps-package build ## the .rpm package: dist/procvitals-VERSION-1.x86_64.rpm
	packaging/rpm '$(BINARY)' '$(DIST)'

bench: build ## CPU per scrape against a C loop and Debian's process-exporter
	Tests/Bench/run.sh

bench-discovery: build ## CPU per scrape among 10,000 processes that are not targets against 10
	Tests/Bench/discovery.sh

bench-http: build-echo ## requests per second, CPU per request and memory per connection against nginx
	Tests/Bench/http.sh

bench-go: ## time per sample of a Go runtime against a C loop, and what it costs the program
	Tests/Bench/go.sh

SHAREDIR := $(PREFIX)/share/procvitals
UNITS    := procvitals.service procvitals@.service procvitals.socket
DROP_INS := $(notdir $(wildcard systemd/drop-ins/*.conf))
# Units, and texts that name what is installed, as they are for this prefix.
PLACE    := sed 's,/usr/\(bin\|share\)/procvitals,$(PREFIX)/\1/procvitals,g'

install: ## install to DESTDIR/PREFIX (/usr/local): binary, units, configuration, completions, documents
	install -D -m 755 $(STRIPPING) '$(BINARY)' '$(DESTDIR)$(PREFIX)/bin/procvitals'
	install -d '$(DESTDIR)$(UNITDIR)' '$(DESTDIR)$(SYSCONFDIR)/procvitals' \
	  '$(DESTDIR)$(SHAREDIR)/drop-ins'
	umask 022; for file in $(UNITS); do \
	  $(PLACE) systemd/$$file > '$(DESTDIR)$(UNITDIR)'/$$file || exit; done
	umask 022; for file in $(DROP_INS); do \
	  $(PLACE) systemd/drop-ins/$$file > '$(DESTDIR)$(SHAREDIR)'/drop-ins/$$file || exit; done
	install -D -m 644 systemd/sidecar.yaml '$(DESTDIR)$(SHAREDIR)/sidecar/procvitals.yaml'
	install -D -m 644 systemd/sysusers.d/procvitals.conf '$(DESTDIR)$(SYSUSERSDIR)/procvitals.conf'
	install -D -m 644 systemd/tmpfiles.d/procvitals.conf '$(DESTDIR)$(TMPFILESDIR)/procvitals.conf'
	test -e '$(DESTDIR)$(SYSCONFDIR)/procvitals/procvitals.yaml' || \
	  install -m 644 config/procvitals.yaml '$(DESTDIR)$(SYSCONFDIR)/procvitals/procvitals.yaml'
	install -D -m 644 packaging/procvitals.1 '$(DESTDIR)$(MANDIR)/man1/procvitals.1'
	install -d '$(DESTDIR)$(BASHDIR)' '$(DESTDIR)$(ZSHDIR)' '$(DESTDIR)$(FISHDIR)'
	'$(BINARY)' --generate-completion-script bash > '$(DESTDIR)$(BASHDIR)/procvitals'
	sed -i '1{/^#!/d}' '$(DESTDIR)$(BASHDIR)/procvitals'
	'$(BINARY)' --generate-completion-script zsh > '$(DESTDIR)$(ZSHDIR)/_procvitals'
	'$(BINARY)' --generate-completion-script fish > '$(DESTDIR)$(FISHDIR)/procvitals.fish'
	chmod 644 '$(DESTDIR)$(BASHDIR)/procvitals' '$(DESTDIR)$(ZSHDIR)/_procvitals' \
	  '$(DESTDIR)$(FISHDIR)/procvitals.fish'
	install -d '$(DESTDIR)$(DOCDIR)'
	install -m 644 README.md CHANGELOG.md '$(DESTDIR)$(DOCDIR)'
	find docs -type f -exec install -D -m 644 {} '$(DESTDIR)$(DOCDIR)/{}' \;
	find config -type f ! -path config/procvitals.yaml -printf '%P\n' | while IFS= read -r file; do \
	  install -D -m 644 config/"$$file" '$(DESTDIR)$(SHAREDIR)'/"$$file" || exit; done

uninstall: ## remove what install put there; the configuration stays
	rm -f '$(DESTDIR)$(PREFIX)/bin/procvitals' $(UNITS:%='$(DESTDIR)$(UNITDIR)/%') \
	  '$(DESTDIR)$(SYSUSERSDIR)/procvitals.conf' '$(DESTDIR)$(TMPFILESDIR)/procvitals.conf' \
	  '$(DESTDIR)$(MANDIR)/man1/procvitals.1' \
	  '$(DESTDIR)$(BASHDIR)/procvitals' '$(DESTDIR)$(ZSHDIR)/_procvitals' \
	  '$(DESTDIR)$(FISHDIR)/procvitals.fish'
	rm -rf '$(DESTDIR)$(SHAREDIR)' '$(DESTDIR)$(DOCDIR)'

clean: ## remove everything that was built
	rm -rf .build dist
