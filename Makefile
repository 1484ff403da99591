# What a developer runs. `make` alone lists the targets; the longer ones are in
# scripts/. Everything that is built or logged goes to dist/.

STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOVULNCHECK = golang.org/x/vuln/cmd/govulncheck@v1.9.0
FUZZTIME ?= 10m

.NOTPARALLEL:
.PHONY: help test deps check cross fuzz-short fuzz bench bench-turn bench-relay bench-signaling storm build vuln clean

help: ## lists the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

test: deps check cross fuzz-short ## everything that must hold; installs what it needs on Debian as root
	@scripts/test.sh

deps: ## what the tests need: installs it on Debian as root, else names what is missing
	@scripts/deps.sh

check: ## gofmt, go vet, staticcheck
	@scripts/gofmt.sh
	go vet ./...
	go run $(STATICCHECK) ./...

cross: ## builds for every system that is supported
	@scripts/cross.sh

fuzz-short: ## every fuzz target for some seconds, those of TURN for half a minute
	@scripts/fuzz.sh 8s $$(go list ./... | grep -v '/turnserver$$')
	@scripts/fuzz.sh 30s ./turnserver

fuzz: ## every fuzz target for FUZZTIME each
	@scripts/fuzz.sh $(FUZZTIME)

bench: ## every benchmark but bench-relay, which takes long
	go test -run '^$$' -bench . -skip '^BenchmarkRelay$$' -benchmem ./...

bench-turn: ## TURN side by side with coturn and plain pion: sessions a second, memory a session
	@mkdir -p dist
	go test -run '^$$' -bench '^BenchmarkTurn$$' -benchtime 1x -v ./bench -args -json "$(CURDIR)/dist/bench-turn.json" $(BENCH_FLAGS)

bench-relay: ## the packets that TURN relays, side by side with coturn and plain pion: CPU, latency, loss
	@mkdir -p dist
	go test -run '^$$' -bench '^BenchmarkRelay$$' -benchtime 1x -timeout 3h -v ./bench -args -json "$(CURDIR)/dist/bench-relay.json" $(BENCH_FLAGS)

bench-signaling: ## signaling side by side with the seed's server and a gorilla hub
	@mkdir -p dist
	go test -run '^$$' -bench '^BenchmarkSignaling$$' -benchtime 1x -timeout 30m -v ./bench -args -json "$(CURDIR)/dist/bench-signaling.json" $(BENCH_FLAGS)

storm: ## 10,000 sockets drop at once and come back, while a call goes on
	ICEBOX_STORM=10000 go test -count 1 -run '^TestStormOfReconnects$$' -v ./cmd/icebox

build: ## a static, stripped binary in dist/icebox
	CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o dist/icebox ./cmd/icebox

vuln: ## known vulnerabilities; needs its database, which may be out of reach
	go run $(GOVULNCHECK) ./...

clean: ## removes dist/
	rm -rf dist
