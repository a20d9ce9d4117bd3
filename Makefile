# make check    lint and test: what a change must pass
# make test     every test of every module, with the race detector and the seeds of all fuzz targets
# make lint     gofmt, go vet, staticcheck
# make fuzz     every fuzz target for FUZZTIME, one after the other
# make postgres the shop's tests on PostgreSQL, all of them; make test runs a part
# make soak     what takes long: 200 kills of processes that write keys, sessions and events
# make bench    the peers side by side
# make openapi  other tools' opinion of the shop's document; needs node and npm
# make scan    the scanner in full, on the shop, which has no flaw, and on leaky, which has many
# make specs   2,600 documents of other makers, loaded by the scanner; needs node and npm
# make conformance  other tools' attacks on the shop, one after the other: make h2spec,
#               make slowhttp, make testssl, make csp, make sqlmap; see internal/rigs
# make sockets  10,000 idle WebSockets: what they take, and that each is told; some 80 seconds
# make fmt      gofmt
# make tidy     go mod tidy in every module

SHELL := /bin/bash -o pipefail
GO ?= go
FUZZTIME ?= 10m

# Each module stands on its own, as for who downloads it; go.work is for work
# across modules and is only used by the build of the shop below.
export GOWORK := off

modules := $(patsubst %/go.mod,%,$(filter-out internal/tools/%,$(shell \
	find * -name go.mod -not -path '*/testdata/*')))
modules := . $(sort $(filter-out go.mod .,$(modules)))
# bench measures others' code; what is raced there is not ours.
raced := $(filter-out bench,$(modules))
staticcheck := $(CURDIR)/bin/staticcheck
files = find . -name '*.go' -not -path './.*' -not -path '*/testdata/*' -print0

# What the shop does with its database: the rest of its tests is the same on both.
onPostgres := Item|Order|Review|Seller|Tenant|Account|Command|Stock|Piece|Cancelled|Told|Followed|Picture|History|Event|Request|Operation|Transaction|Change|Data|SQL|Export|Admin|Page

.PHONY: check test lint fuzz postgres soak bench openapi scan scan-hostile specs h2spec slowhttp testssl csp sqlmap sockets conformance fmt tidy needs
.DEFAULT_GOAL := check

check: lint test

# Two at a time: a module's tests often wait. What one prints comes out in one piece.
tests := $(patsubst %,test@%,examples/shop $(filter-out examples/shop,$(raced)) postgres scan bench go.work)
test: needs
	@$(MAKE) --no-print-directory -k -j2 --output-sync=target $(tests)

$(addprefix test@,$(raced)): test@%:
	@echo "== $*"; cd $* && $(GO) test -race -timeout 8m $(if $(filter $*,$(build)),-count 1) ./...

# These build the shop by themselves, of which the cache of results does not know.
build := internal/browsertest internal/clienttest

test@postgres:
	@echo "== examples/shop on PostgreSQL"; cd examples/shop && FASTNESS_TEST_DATABASE=postgres $(GO) test -run '$(onPostgres)' .

# The scan of leaky takes a minute, and several with the race detector.
test@scan:
	@echo "== scan of examples/leaky"; cd examples/leaky && FASTNESS_SCAN_PROFILE=deep $(GO) test -timeout 8m -run TestScan .

test@bench:
	@echo "== bench"; cd bench && $(GO) test ./...

test@go.work:
	@echo "== go run ./examples/shop"; GOWORK= $(GO) run ./examples/shop --version
	@echo "== go run ./examples/leaky"; GOWORK= $(GO) run ./examples/leaky --version

lint: $(staticcheck)
	@failed=; \
	unformatted=$$($(files) | xargs -0 gofmt -l); \
	if [ -n "$$unformatted" ]; then echo "not formatted (make fmt):"; echo "$$unformatted"; failed=" gofmt"; fi; \
	for m in $(modules); do echo "== $$m"; \
		(cd $$m && $(GO) vet ./...) || failed="$$failed $$m"; (cd $$m && $(staticcheck) ./...) || failed="$$failed $$m"; done; \
	if [ -n "$$failed" ]; then echo "make lint: failed in$$failed"; exit 1; fi

# internal/tools pins the tools, apart from what the framework depends on.
$(staticcheck): internal/tools/go.mod internal/tools/go.sum
	$(GO) build -C internal/tools -o $@ honnef.co/go/tools/cmd/staticcheck
	@touch $@

fuzz:
	@set -e; for m in $(modules); do cd $(CURDIR)/$$m; \
	$(GO) test -list '^Fuzz' ./... | awk '/^Fuzz/ { names[n++] = $$1 } /^ok/ { for (i = 0; i < n; i++) print $$2, names[i]; n = 0 }' | \
	while read -r package target; do echo "== $$package $$target"; \
	$(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) "$$package" </dev/null; done; done

postgres: needs
	cd examples/shop && FASTNESS_TEST_DATABASE=postgres $(GO) test -race -count 1 .

# The tests read how often from these variables; without them they do it a few times.
soak: needs
	cd internal/storetest && FASTNESS_KILLS=200 FASTNESS_RING_KILLS=200 $(GO) test -timeout 30m -count 1 -run 'Kill' -v .

bench:
	cd bench && $(GO) run .

openapi:
	sh internal/openapilint/lint.sh

scan:
	cd examples/shop && FASTNESS_SCAN_PROFILE=deep $(GO) test -count 1 -v -run TestScan .
	cd examples/leaky && FASTNESS_SCAN_PROFILE=deep $(GO) test -count 1 -v -run TestScan .

scan-hostile:
	FASTNESS_SCAN_HOSTILE=1 $(GO) test -timeout 60m -count 1 -v -run 'Hostile|Hundred|SameSeed' ./scan

specs:
	sh scan/internal/spec/specs.sh .cache/specs
	FASTNESS_SPECS=$(CURDIR)/.cache/specs $(GO) test -count 1 -v -run TestPublicDocuments ./scan/internal/spec

# Each installs what it needs and has a time limit of its own.
h2spec slowhttp testssl csp sqlmap sockets:
	cd internal/rigs && $(GO) run . $@

conformance:
	cd internal/rigs && $(GO) run . h2spec testssl csp sqlmap slowhttp

fmt:
	$(files) | xargs -0 gofmt -w

tidy:
	@for m in $(modules) internal/tools; do echo "== $$m"; (cd $$m && $(GO) mod tidy) || exit 1; done

# The race detector needs a C compiler, the browser tests Chromium, the tests of
# the stores PostgreSQL and Redis, which they start themselves: the cluster that
# Debian would start is not made; clients of others need node, and Python with
# websockets. Who may install packages gets them; who may not is told what to
# install.
needs:
	@missing=; \
	command -v gcc >/dev/null || command -v clang >/dev/null || missing="$$missing gcc libc6-dev"; \
	command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || \
		command -v chrome >/dev/null || missing="$$missing chromium"; \
	command -v initdb >/dev/null || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing="$$missing postgresql"; \
	command -v redis-server >/dev/null || missing="$$missing redis-server"; \
	command -v node >/dev/null && command -v npm >/dev/null || missing="$$missing nodejs npm"; \
	/usr/bin/python3 -c 'import websockets' 2>/dev/null || missing="$$missing python3-websockets"; \
	if [ -z "$$missing" ]; then exit 0; fi; \
	if ! command -v apt-get >/dev/null; then sudo=none; elif [ "$$(id -u)" = 0 ]; then sudo=; elif sudo -n true 2>/dev/null; then sudo="sudo -n"; else sudo=none; fi; \
	if [ "$$sudo" = none ]; then echo "missing:$$missing. On Debian, as root: apt-get install -y$$missing"; exit 1; fi; \
	echo "installing$$missing"; export DEBIAN_FRONTEND=noninteractive; \
	case "$$missing" in *postgresql*) if [ ! -e /etc/postgresql-common/createcluster.conf ]; then $$sudo mkdir -p /etc/postgresql-common; \
		echo 'create_main_cluster = false' | $$sudo tee /etc/postgresql-common/createcluster.conf >/dev/null; fi;; esac; \
	$$sudo apt-get update -qq && $$sudo apt-get install -y -qq --no-install-recommends $$missing >/dev/null
