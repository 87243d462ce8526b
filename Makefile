# Every command of the project; .ci/run uses the same ones.

PREFIX     ?= /usr/local
SYSCONFDIR ?= /etc
UNITDIR    ?= $(if $(filter /usr /usr/local,$(PREFIX)),$(PREFIX)/lib,/etc)/systemd/system
MANDIR     ?= $(PREFIX)/share/man
ADDRESS    ?= 127.0.0.1:9656

BINARY  := .build/release/procvitals
# The linker of the toolchain, for relocations that take a sixteenth less room, and for code that is
# there once although several functions come to it. Functions that nobody calls go: each has a
# section of its own, and none is exported.
RELEASE := -c release --static-swift-stdlib -Xswiftc -use-ld=lld -Xlinker -z \
  -Xlinker pack-relative-relocs -Xlinker --icf=all -Xlinker --no-export-dynamic \
  -Xswiftc -Xfrontend -Xswiftc -function-sections
IMPORTS := --explicit-target-dependency-import-check error

# What a Swift toolchain on Debian needs to run and to link, and the libraries procvitals uses.
BUILD_PACKAGES := binutils ca-certificates git libc6-dev libcurl4 libgcc-12-dev|libgcc-14-dev \
  libncurses6 libsqlite3-0 libstdc++-12-dev|libstdc++-14-dev libxml2 pkg-config|pkgconf tzdata \
  zlib1g-dev libdeflate-dev libpcre2-dev libssl-dev libsystemd-dev libyaml-dev

# What the tests start, and the tools they look through.
TEST_PACKAGES := apache2-utils curl dbus gcc iproute2 nginx-light|nginx openssl postgresql procps \
  prometheus prometheus-process-exporter protobuf-compiler python3 python3-prometheus-client \
  python3-protobuf redis-server slowhttptest strace systemd testssl.sh util-linux wrk

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help deps deps-test build build-echo run test unit e2e test-systemd churn slow tls fuzz check walls \
  lint format golden fixture bench bench-discovery bench-http install uninstall clean

help: ## print this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' Makefile

deps: ## install the Debian packages that building needs (nothing when all are there)
	@scripts/install-packages building $(foreach p,$(BUILD_PACKAGES),'$(p)')

deps-test: ## install the Debian packages that the tests need; starts no service
	@scripts/install-packages testing $(foreach p,$(TEST_PACKAGES),'$(p)')

build: ## build the daemon: .build/release/procvitals
	swift build $(RELEASE) --product procvitals

build-echo: ## build the echo program that tests drive: .build/release/EchoServer
	swift build $(RELEASE) --product EchoServer

run: deps build ## build and start on ADDRESS (127.0.0.1:9656), watching itself
	@echo "metrics  http://$(ADDRESS)/metrics"
	@echo "health   http://$(ADDRESS)/-/healthy"
	@echo "stop     Ctrl-C"
	@exec $(BINARY) --web.listen-address=$(ADDRESS)

test: deps deps-test unit e2e ## all tests, unit and end to end

unit: ## unit tests
	SWIFT_BACKTRACE=enable=no swift test $(IMPORTS)

e2e: build build-echo ## end-to-end tests against the release binary; ONLY='05 11' runs some
	Tests/EndToEnd/run $(ONLY)

test-systemd: deps-test build build-echo ## the daemon as a unit, in a throw-away systemd; needs root
	Tests/EndToEnd/run systemd

churn: build ## a minute of forks, execs and ends in which no counter may fall; CHURN_SECONDS=600
	CHURN_SECONDS=$(or $(CHURN_SECONDS),60) Tests/EndToEnd/run 23

tls: build build-echo ## all that testssl.sh looks for, and its grade; some minutes
	TLS_FULL=1 CHURN_SECONDS=300 Tests/EndToEnd/run 55

slow: build build-echo ## slowhttptest in its four modes, a minute each; SLOW_SECONDS=240
	SLOW_SECONDS=$(or $(SLOW_SECONDS),60) CHURN_SECONDS=$$((4 * $(or $(SLOW_SECONDS),60))) \
	  Tests/EndToEnd/run 52

fuzz: ## look for requests that break the parser, for FUZZ_SECONDS=60
	Tests/Fuzz/run $(or $(FUZZ_SECONDS),60)

check: deps deps-test lint walls ## everything a change must pass: format, walls, imports, tests
	swift build $(IMPORTS) --build-tests
	$(MAKE) --no-print-directory build
	scripts/walls --binary $(BINARY)
	$(MAKE) --no-print-directory test

walls: ## check the rules that no compiler checks, and that the check bites
	scripts/walls
	Tests/EndToEnd/walls_bite.sh

lint: ## check the format of all Swift files
	swift format lint --strict --parallel --recursive Package.swift Sources Tests

format: ## format all Swift files in place
	swift format --in-place --parallel --recursive Package.swift Sources Tests

golden: build ## rewrite golden files and generated documents, then fail so that you look at the diff
	scripts/manual $(BINARY) > packaging/procvitals.1
	UPDATE_GOLDEN=1 SWIFT_BACKTRACE=enable=no swift test

fixture: ## record processes: PID='812 813' NAME=web makes Tests/Fixtures/web.tree, names scrubbed
	@test -n '$(PID)' || { echo "say which: make fixture PID=812 NAME=web" >&2; exit 2; }
	@scripts/fixture $(PID) > Tests/Fixtures/.new
	@mv Tests/Fixtures/.new 'Tests/Fixtures/$(or $(NAME),recorded).tree'
	@echo 'Tests/Fixtures/$(or $(NAME),recorded).tree'

bench: build ## CPU per scrape against a C loop and Debian's process-exporter
	Tests/Bench/run.sh

bench-discovery: build ## CPU per scrape among 10,000 processes that are not targets against 10
	Tests/Bench/discovery.sh

bench-http: build-echo ## requests per second, CPU per request and memory per connection against nginx
	Tests/Bench/http.sh

install: ## install to DESTDIR/PREFIX (/usr/local): binary, unit, configuration, man page
	install -D -m 755 -s $(BINARY) '$(DESTDIR)$(PREFIX)/bin/procvitals'
	install -d '$(DESTDIR)$(UNITDIR)' '$(DESTDIR)$(SYSCONFDIR)/procvitals'
	sed 's|/usr/bin/procvitals|$(PREFIX)/bin/procvitals|' systemd/procvitals.service \
	  > '$(DESTDIR)$(UNITDIR)/procvitals.service'
	chmod 644 '$(DESTDIR)$(UNITDIR)/procvitals.service'
	install -m 644 systemd/procvitals.socket '$(DESTDIR)$(UNITDIR)/procvitals.socket'
	test -e '$(DESTDIR)$(SYSCONFDIR)/procvitals/procvitals.yaml' || \
	  install -m 644 config/procvitals.yaml '$(DESTDIR)$(SYSCONFDIR)/procvitals/procvitals.yaml'
	install -D -m 644 packaging/procvitals.1 '$(DESTDIR)$(MANDIR)/man1/procvitals.1'

uninstall: ## remove what install put there; the configuration stays
	rm -f '$(DESTDIR)$(PREFIX)/bin/procvitals' '$(DESTDIR)$(UNITDIR)/procvitals.service' \
	  '$(DESTDIR)$(UNITDIR)/procvitals.socket' '$(DESTDIR)$(MANDIR)/man1/procvitals.1'

clean: ## remove everything that was built
	rm -rf .build dist
