# make demo   builds, and runs the main job on a throw-away branch
# make test   everything that CI runs
GO      ?= go
export CGO_ENABLED = 0
export PATH := $(PATH):/usr/sbin:/sbin

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -X main.version=$(VERSION)

.PHONY: help build demo tools test race promises fuzz check bench bench-peers microbench mutants coverage tamper clean
help: ## the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

build: ## bin/tickler, static
	$(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/tickler ./cmd/tickler

demo: build ## a throw-away branch, its duties, and why
	./bin/tickler demo

# strace ends a process at a system call; xfsprogs makes the second of the two
# disks whose power is cut; gcc links the race detector. Where they cannot be had the tests that need them
# say so, and fail in CI.
tools: ## what the tests need, where apt-get and the right to use it are there
	@for t in strace:strace mkfs.xfs:xfsprogs mkfs.ext4:e2fsprogs gcc:build-essential; do \
		command -v $${t%%:*} >/dev/null || missing="$$missing $${t##*:}"; done; \
	if test -n "$$missing" && command -v apt-get >/dev/null && test "$$(id -u)" = 0; then \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing; fi

test: tools ## vet, every test, and the data race detector where there is a C compiler
	$(GO) vet ./...
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); test -z "$$unformatted" || { echo "gofmt: $$unformatted"; exit 1; }
	$(GO) test ./...
	@if command -v gcc >/dev/null; then $(MAKE) race; else echo "no C compiler: the race detector was left out"; test -z "$$CI"; fi

race: ## the race detector on what runs side by side
	CGO_ENABLED=1 $(GO) test -race -skip 'Mutation|TestYears|TestTheSimulation|TakesNoTime' ./api ./calendar ./ledger ./loan ./obligation ./report ./rules ./store/... ./scheduler ./web
	CGO_ENABLED=1 $(GO) test -race -run 'TestPromise13Moves|TestPromise13ControlALost' ./promises

promises: tools ## what docs/promises.md promises, in full: hours of kills, cuts and clock steps
	$(GO) test ./promises -count=1 -v -timeout 6h -args -promises.full

FUZZTIME ?= 20s

fuzz: ## every fuzz target for FUZZTIME, one after the other
	@set -e; for p in $$($(GO) list ./...); do \
		for f in $$($(GO) test -list '^Fuzz' $$p | grep '^Fuzz' || true); do \
			echo "$$p $$f"; $(GO) test -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZTIME) $$p; \
		done; done

check: ## compiles for every platform that we name
	GOOS=linux GOARCH=amd64 $(GO) build -o /dev/null ./cmd/tickler
	GOOS=linux GOARCH=arm64 $(GO) build -o /dev/null ./cmd/tickler
	GOOS=linux GOARCH=loong64 $(GO) build -o /dev/null ./cmd/tickler
	GOOS=windows GOARCH=amd64 $(GO) build -o /dev/null ./cmd/tickler
	$(GO) vet ./...

# HELD bounds the loans whose obligations PostgreSQL, SQLite and pebble hold while
# a branch is listed.
LOANS ?= 100000
HELD  ?= 100000

bench: bench-peers ## docs/performance.md: a portfolio of LOANS (10000, 100000, 1000000) beside its peers
	$(GO) run ./bench -loans $(LOANS) -held $(HELD) -o docs/performance.md

# What bench compares with. What cannot be had is named as missing in its tables.
# QuantLib's Python package has gone by two names. CEL and pebble are Go modules,
# of bench/gopeers alone.
bench-peers: ## what bench compares with, where apt-get and the right to use it are there
	@$(GO) -C bench/gopeers build -o /dev/null ./... || echo "CEL, pebble: not to be had"
	@for t in sqlite3:sqlite3 remind:remind task:taskwarrior /usr/lib/postgresql/*/bin/initdb:postgresql; do \
		command -v $${t%%:*} >/dev/null || missing="$$missing $${t##*:}"; done; \
	for t in numpy:python3-numpy pandas:python3-pandas openpyxl:python3-openpyxl QuantLib:'quantlib-python|python3-quantlib'; do \
		/usr/bin/python3 -c "import $${t%%:*}" 2>/dev/null || missing="$$missing $${t##*:}"; done; \
	if test -n "$$missing" && command -v apt-get >/dev/null && test "$$(id -u)" = 0; then \
		apt-get update -qq; \
		for m in $$missing; do \
			for p in $$(echo "$$m" | tr '|' ' '); do \
				DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$p >/dev/null 2>&1 && break; done || echo "$$m: not to be had"; done; \
	elif test -n "$$missing"; then echo "missing, and not compared with:$$missing"; fi

microbench: ## the packages' own benchmarks
	$(GO) test -run '^$$' -bench . -benchmem ./calendar ./rules

mutants: ## changes the shipped rules one by one; the shipped cases must notice
	$(GO) test ./rules -run Mutation -v -count=1

coverage: ## docs/coverage.md: which rule answers for which row of the source
	$(GO) test . -run Coverage -update

tamper: ## the audit's long form: 10 000 tamperings, 1 000 clean files
	$(GO) test ./store -run 'Tampering|CleanTrail' -v -count=1 -args -audit.tamperings 10000 -audit.clean 1000 -audit.files

clean:
	rm -rf bin tickler-demo
