# Landwaiter. `make demo` shows what it does, `make test` proves it.
# Needs Go (the version in go.mod), make, and for `make test` a Debian or Ubuntu with apt-get.

GO        ?= go
BIN       := bin/landwaiter
TOOLS     := .cache/bin
VERSION   ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS   := -s -w -X main.version=$(VERSION)
# Larger corpora for tests and benchmarks; tests that need them say so when it is not set.
LANDWAITER_CORPUS ?= $(abspath $(wildcard ../shared/data))
export LANDWAITER_CORPUS
# Advisories for govulncheck. https://vuln.go.dev judges with today's data; the default is the copy kept in .ci/vulndb.
GOVULNDB  ?= file://$(CURDIR)/.ci/vulndb

STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
OSVSCANNER  := github.com/google/osv-scanner/v2/cmd/osv-scanner@v2.5.0
COSIGN      := github.com/sigstore/cosign/v3/cmd/cosign@v3.1.3
GOVULNCHECK := golang.org/x/vuln/cmd/govulncheck@v1.9.0

.PHONY: all build demo test test-tools lint bench benchmarks clean deps
all: build

build: ## build bin/landwaiter
	@echo "building $(BIN) (about three minutes the first time, seconds later)"
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o $(BIN) ./cmd/landwaiter

# With the tag, what the demo says to its stand-in is held to GitHub's description of its API.
demo: ## play the main job against a stand-in for GitHub, then keep serving
	@echo "building the demo (about three minutes the first time, seconds later)"
	CGO_ENABLED=0 $(GO) build -trimpath -tags contract -ldflags '$(LDFLAGS)' -o $(BIN)-demo ./cmd/landwaiter
	$(BIN)-demo demo $(DEMOFLAGS)

test: deps ## install what the tests need, then run all of them with the race detector
	$(GO) run ./.ci/counttests -- $(GO) test -race -timeout 40m $(TESTFLAGS) ./...

# Not part of test: it needs npm, cargo and their registries.
test-tools: ## run what findings say to do with the real package managers
	npm install --silent --no-fund --no-audit --prefix .cache/tools pnpm@10 yarn@1.22.22 @yarnpkg/cli-dist@4 bun@1
	LANDWAITER_TOOLS=$(CURDIR)/.cache/tools $(GO) test -count=1 -tags tools -run TestWithTools -v ./checks/cure

lint: $(TOOLS)/staticcheck $(TOOLS)/govulncheck ## gofmt, vet, staticcheck, govulncheck, who may import whom
	@test -z "$$(gofmt -l app checks cmd scanners store web)" || { echo "not formatted; run gofmt -w on:"; gofmt -l app checks cmd scanners store web; exit 1; }
	$(GO) vet ./...
	$(TOOLS)/staticcheck ./...
	$(TOOLS)/govulncheck -db '$(GOVULNDB)' ./...
	$(GO) test -run 'TestImports' ./cmd/landwaiter

bench: build $(TOOLS)/osv-scanner $(TOOLS)/cosign ## measure the goals of docs/performance.md beside osv-scanner and cosign (20 minutes and more)
	$(GO) run ./.ci/bench $(BENCHFLAGS)

benchmarks: ## run the Go benchmarks of all packages
	$(GO) test -run '^$$' -bench . -benchmem ./cmd/landwaiter ./app ./store ./scanners/...

deps: ## PostgreSQL for the store's tests, from Debian's packages
	@.ci/deps

$(TOOLS)/staticcheck:
	GOBIN=$(abspath $(TOOLS)) $(GO) install $(STATICCHECK)

# What bench compares with: 2.6.0 needs a newer Go, and measures the same.
$(TOOLS)/osv-scanner:
	@echo "building osv-scanner (about four minutes)"
	GOBIN=$(abspath $(TOOLS)) CGO_ENABLED=0 $(GO) install -trimpath -ldflags '-s -w' $(OSVSCANNER)

$(TOOLS)/cosign:
	@echo "building cosign (about four minutes)"
	GOBIN=$(abspath $(TOOLS)) CGO_ENABLED=0 $(GO) install -trimpath -ldflags '-s -w' $(COSIGN)

$(TOOLS)/govulncheck:
	GOBIN=$(abspath $(TOOLS)) $(GO) install $(GOVULNCHECK)

clean: ## remove what make built
	rm -rf bin .cache
