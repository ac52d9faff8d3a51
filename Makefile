# make help lists the targets. Each prints its seed; give SEED=N to repeat a run.

SEED     ?= $(shell date +%s)
FUZZTIME ?= 30s
DURATION ?= 60m
OVERLOAD ?= 30s
export SEED
export PATH := $(CURDIR)/.tools:$(PATH):/usr/sbin
# What is built and tested is of Go alone, as it is released; the race detector alone wants C.
export CGO_ENABLED := 0
GOVULNCHECK := golang.org/x/vuln/cmd/govulncheck@v1.9.0
GOLANGCI := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.13.2

.PHONY: help build test test-stories test-raced test-plain test-short tools lint fmt cover golden vulnerabilities release picture fuzz bench bench-http bench-abuse bench-cluster audit torture
.DEFAULT_GOAL := build

help: ## list the targets
	@echo "seed none: nothing here is random"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## the two programs, into bin/
	go build -o bin/sluice ./cmd/sluice
	go build -o bin/firmware-sim ./firmware-sim

# RACED are the packages whose code or tests begin goroutines: in what has one, the race detector could
# only find that it is slow. Tests of BOTH that measure, or compute much in one goroutine, are skipped
# with it (test/raced) and run without; others that take long are run with it alone. TestMakeTestsAll
# looks that all this is so, and that no package is left out. What takes long by waiting is named first,
# beside the stories; what computes is named last.
RACED := test/audit test/torture gateway/ingest/internal/listener gateway/cluster/logs certify \
	gateway/cluster/settings gateway/cluster/engine gateway/ingest/internal/mqtt gateway/cluster/lease opendata/released \
	gateway/doctor gateway/cluster/duty gateway/cluster/parts gateway/ingest/internal/checkpoint store/sqlite \
	gateway/cluster/overview books/union books gateway/cluster/keys door gateway/cluster/member gateway/cluster/roster \
	opendata/copies gateway/ingest/internal/wipe gateway/activation gateway/inbox policy/papers/pdf firmware-sim/device \
	brief certify/bench certify/tap gateway gateway/admin gateway/cluster/machine internal/crash gateway/forward \
	gateway/retention gateway/ingest/internal/intake internal/pattern internal/retry opendata/broadcast opendata/front opendata/httpcache \
	opendata/live opendata/web perm register register/access store/influx test/harness test/ports test/program test/stalls policy/rego \
	opendata gateway/ingest simulate studio cmd/sluice town
BOTH  := cmd/sluice opendata gateway/ingest firmware-sim/device policy/rego opendata/released register simulate studio
# RACE leaves SQLite's C out, which a program has made Go of: nothing of ours is in it, and all that
# is stored took three times as long. The driver around it, and what is generic, have the detector
# (TestRaceLeavesOnlyC).
RACE  := -race -gcflags=modernc.org/sqlite/lib=-race=false
# STORIES run whole programs and mostly wait for them, the longest first: more packages are tested side
# by side than there are cores. The programs are built once for all, without the race
# detector; what is in them, and the open data that some stories serve themselves, has it in the tests
# of RACED, which run crowds, streams and whole verbs in one process (cmd/sluice, opendata).
STORIES := $(patsubst %,test/%,cluster opendata audit torture sensors privacy docs intake books studio policy faults operations)
SHORT  = $(filter-out $(STORIES:%=sluice/%),$(shell go list ./...))
# MEMORY is where tests write: they wait for no disk (TMPDIR=/tmp make test has them wait).
MEMORY := -exec=$(CURDIR)/.ci/memory
PLAIN  = $(or $(filter-out $(RACED:%=sluice/%) $(STORIES:%=sluice/%),$(shell go list ./...)),\
	$(error go list names no package))

# test installs what the tests need and runs them all; go vet has been over each package by then. Two
# of its three parts run side by side: stories mostly wait for programs, the others compute.
test: tools ## what CI runs: everything, with mosquitto, InfluxDB and a browser
	@echo "seed $(SEED)"
	go vet ./...
	mkdir -p $(SLUICE_TEST_PROGRAMS) && go build -ldflags='-s -w' -o $(SLUICE_TEST_PROGRAMS) ./cmd/sluice ./firmware-sim
	@$(MAKE) --no-print-directory -k -j2 test-stories test-raced test-plain
test: export SLUICE_TEST_PROGRAMS := $(CURDIR)/bin/test
test: export SLUICE_TEST_RACED := 1

test-stories: ## the part of it that runs whole programs
	@echo "seed $(SEED)"
	go test $(MEMORY) -vet=off -p=3 -parallel=4 -shuffle=$(SEED) -timeout 60m $(patsubst %,./%,$(filter-out $(RACED),$(STORIES)))

# What runs in one process collects garbage later than programs do; .ci/memory takes that from stories.
test-raced test-plain: export GOGC := 400

test-raced: ## the part of it that is run with the race detector
	@echo "seed $(SEED)"
	go test $(RACE) $(MEMORY) -vet=off -p=3 -parallel=4 -shuffle=$(SEED) -timeout 60m $(RACED:%=./%)
test-raced: export CGO_ENABLED := 1

test-plain: ## the part of it that is run without
	@echo "seed $(SEED)"
	go test $(MEMORY) -vet=off -p=3 -shuffle=$(SEED) $(BOTH:%=./%) $(PLAIN)

# test-short leaves out what starts daemons, browsers or whole programs, and what takes long.
test-short: ## what needs nothing installed, in some minutes
	@echo "seed $(SEED)"
	go test -short -shuffle=$(SEED) $(SHORT)

# tools are Debian's mosquitto and chromium, InfluxDB 1.8 and nats-server. Where they
# cannot be installed, the tests that need a tool say that they are skipped.
tools: ## install what the tests need
	@.ci/tools

lint: ## what golangci-lint finds
	@echo "seed none: nothing here is random"
	go run $(GOLANGCI) run ./...

fmt: ## gofmt and goimports, in place
	@echo "seed none: nothing here is random"
	go run $(GOLANGCI) fmt ./...

cover: ## which lines the short tests reach, into coverage.out
	@echo "seed $(SEED)"
	go test -short -shuffle=$(SEED) -coverprofile coverage.out -coverpkg ./... $(SHORT)
	go tool cover -func coverage.out | tail -1

# golden is for texts that people read: read the difference before it is committed. Motions of
# earlier formats (policy/council/testdata) are never written anew.
golden: ## write the texts anew that tests compare with
	@echo "seed none: nothing here is random"
	UPDATE=1 go test -count 1 -run TestGolden ./policy/explain ./cmd/sluice ./gateway/ingest/internal/format \
		./opendata/sensorthings

# Its numbers are drawn anew each time: commit it when the page has changed.
picture: build ## the README's picture, docs/footfall.png, by the demo and chromium
	@echo "seed none: the demo draws its own"
	test/browser/picture.sh docs/footfall.png

# The same commit, tags and Go give the same bytes: no path, no build time and no user goes in.
release: ## archives for Linux on amd64 and arm64, and their sums, into bin/release/
	@echo "seed none: nothing here is random"
	rm -rf bin/release && mkdir -p bin/release
	for arch in amd64 arm64; do \
		dir=bin/release/sluice-linux-$$arch && mkdir $$dir && cp -r LICENSE README.md configs docs $$dir/ && \
		CGO_ENABLED=0 GOOS=linux GOARCH=$$arch go build -trimpath -buildvcs=true -o $$dir/ ./cmd/sluice ./firmware-sim && \
		tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --mode=go=rX,u+rw -C bin/release -cf $$dir.tar sluice-linux-$$arch && \
		gzip -9n $$dir.tar && rm -r $$dir || exit 1; \
	done
	cd bin/release && sha256sum *.tar.gz > SHA256SUMS && cat SHA256SUMS

vulnerabilities: ## known weaknesses of what is used
	@echo "seed none: nothing here is random"
	go run $(GOVULNCHECK) ./...

FUZZ := FuzzDecode:gateway/ingest/internal/format FuzzTime:gateway/ingest/internal/format \
	FuzzPreset:gateway/ingest/internal/format FuzzPartial:gateway/release \
	FuzzEntries:gateway/ingest/internal/checkpoint FuzzDamage:gateway/ingest/internal/checkpoint FuzzParse:policy/decision FuzzCheckLink:policy/decision \
	FuzzPeriod:internal/civil FuzzFromYAML:internal/retention FuzzRegister:register FuzzZones:register FuzzQuery:opendata/query FuzzRead:firmware-sim/replay \
	FuzzPasswords:register/access FuzzSpreadsheet:register/fleet FuzzList:gateway/revoked FuzzGuard:gateway/ingest/internal/mqtt FuzzMotion:policy/council FuzzKey:policy/ballot \
	FuzzBallot:policy/ballot FuzzStatement:policy/ballot FuzzBundle:policy/bundle FuzzTidy:internal/yamldoc FuzzDirectory:policy/check \
	FuzzDraw:opendata/zonemap FuzzStreets:opendata/streets FuzzSameZones:. FuzzBroker:gateway/ingest/internal/mqtt FuzzConnect:gateway/ingest/internal/listener \
	FuzzWebSocket:gateway/ingest/internal/listener FuzzFrames:internal/websocket \
	FuzzHandshake:internal/websocket \
	FuzzBrief:brief FuzzCanonical:gateway/ingest/internal/format FuzzList:internal/yamldoc FuzzInsert:internal/yamldoc FuzzSet:internal/yamldoc FuzzAnswers:policy/dpia FuzzAnswers:policy/consult \
	FuzzCBOR:gateway/ingest/internal/cbor FuzzSparkplug:gateway/ingest/internal/sparkplug FuzzTry:gateway/ingest \
	FuzzRead:gateway/ingest/internal/handover FuzzRead:certify/envelope FuzzParse:certify/report FuzzSigners:policy/ballot/signers FuzzRoster:gateway/cluster/roster FuzzSigned:gateway/cluster/roster FuzzQuestion:gateway/cluster/keys FuzzMember:gateway/cluster/keys \
	FuzzAnswer:gateway/cluster/keys FuzzSpan:gateway/cluster/keys FuzzFrames:certify/tap \
	FuzzWrapped:certify/envelope FuzzQuote:gateway/ingest/internal/format \
	FuzzText:internal/instant FuzzPattern:register/preset FuzzPreset:register/preset \
	FuzzEnvelope:gateway/ingest/internal/format FuzzBytes:gateway/ingest/internal/format FuzzStructure:gateway/ingest/internal/structure \
	FuzzQuery:opendata/sensorthings/odata FuzzPath:opendata/sensorthings/odata FuzzGeometry:opendata/sensorthings/odata \
	FuzzPath:opendata/archive

fuzz: ## each parser of outside bytes for FUZZTIME (30s)
	@echo "seed $(SEED)"
	@for t in $(FUZZ); do \
		go test -run xxx -fuzz "^$${t%%:*}$$" -fuzztime $(FUZZTIME) ./$${t##*:} || exit 1; \
	done

# bench prints what readings cost, beside those who do less, and the engine
# beside fastjson's parse of the same bytes; docs/performance.md has the targets.
bench: ## what a reading, a window and a policy cost
	@echo "seed none: the readings are always the same"
	go run ./test/bench
	go test -run EngineRatio -bench 'Engine|Parse|Lookup' -benchtime 2s -count 3 -v ./gateway/ingest
	go test -run xxx -bench Unwrap ./gateway/ingest/internal/format
	go test -run xxx -bench 'Decode|Take' ./gateway/ingest/internal/cbor ./gateway/ingest/internal/sparkplug
	go test -run xxx -bench Close -benchtime 5x ./gateway/ledger
	go test -run xxx -bench Compile -benchtime 3x -cpu 1 ./policy/compile

# bench-http prints what the open-data server does over a store of a million rows,
# beside a static handler of the same bytes, with 5,000 listeners and on a slow phone; about
# seven minutes.
bench-http: build ## what the open-data server does over a million rows; seven minutes
	@echo "seed none: the rows are always the same"
	go build -o bin/benchhttp ./test/benchhttp
	bin/benchhttp -sluice bin/sluice

# bench-abuse prints what strangers and rogue sensors can do to those who are honest,
# alone, beside 20,000 readings/s and in overload, and a crowd of one address to
# visitors: how long these wait and what memory it costs; about eleven minutes. OVERLOAD=10m
# overloads for ten.
bench-abuse: build ## what strangers and rogue sensors can do; eleven minutes
	@echo "seed none: the worst is always the same"
	go build -o bin/benchabuse-doors ./test/benchabuse/doors
	bin/benchabuse-doors -sluice bin/sluice -overload $(OVERLOAD)
	go build -o bin/benchabuse-pages ./test/benchabuse/pages
	bin/benchabuse-pages -sluice bin/sluice

# bench-cluster prints what readings cost in one process, and on one, two and three machines of a
# cluster over three servers, how long whoever is killed is missed, and how long a window with a
# million units takes to close; all of them on this machine.
bench-cluster: tools ## what a cluster costs beside one process; eight minutes
	@echo "seed none: the readings are always the same"
	go test -count 1 -v -run 'Test(Speed|Losses|Million)$$' -timeout 40m ./test/cluster -speed 400000 -million 1000000

# audit tests the guarantee from outside, over the real binary: under a quarter of an
# hour on two cores. It exits with 1 when anything fails, which chance alone brings about
# in at most one run of a hundred. Policies are signed with OpenSSH's ssh-keygen.
audit: build ## the guarantee, tested from outside; a quarter of an hour
	go run ./test/audit -sluice bin/sluice

# torture kills, starves, stalls and damages the real gateway for an hour, beside an
# oracle that shares no code with it; docs/reliability.md reads the table. It exits
# with 1 when anything was lost, doubled, shown twice or said wrongly. TORTURE="-from
# damage" goes on with a run that was stopped, TORTURE="-only homes" is one phase of it.
# Then come the engine's: 42,000 entries by eight writers, whose leaders are killed nine
# times, and then all three servers; and last a city's machines and servers, of which any one or
# two are killed 300 times while sensors send 3,000 readings a second, killed or frozen in all ways
# 40 times, cut off from each other 40 times, and with clocks that are a minute apart.
torture: ## kills, full disks, damaged files, for DURATION (60m)
	go run ./test/torture -seed $(SEED) -duration $(DURATION) $(TORTURE)
	go test -count 1 -v -run 'TestKills$$' -timeout 30m ./gateway/cluster/engine -appends 42000 -kills 9
	go test -count 1 -v -run 'TestKills$$' -timeout 2h ./test/cluster -kills 300 -rate 3000 -seed $(SEED)
	go test -count 1 -v -run 'Test(Faults|Parted|Clocks)$$' -timeout 2h ./test/cluster -trials 40 -clocks \
		-seed $(SEED)
