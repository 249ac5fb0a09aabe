# headroom: the commands a developer needs. `make` alone lists them.
#
# The toolchain is pinned here, so that any installed Go from 1.21 works, also
# one whose GOTOOLCHAIN is "local": that go command fetches the pinned one as a
# Go module. `make env` prints the same for a shell that calls go by itself.
export GOTOOLCHAIN  := go1.27.0
export GOEXPERIMENT := simd
export CGO_ENABLED  := 1

GO          ?= go
PYTHON      ?= python3
VENV        := $(CURDIR)/bin/reference-venv
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
DEADCODE    := golang.org/x/tools/cmd/deadcode@v0.52.0
TOOLS       := $(CURDIR)/bin/tools
FUZZTIME    ?= 10s
BENCH       ?= .
WORLDS      ?= 1000
PACKAGES    ?= ./...
# Two packages at a time: the tests that train use both cores of a small machine.
TESTFLAGS   ?= -p 2 -timeout 20m

.DEFAULT_GOAL := help
.PHONY: help demo build build-xla install release bench-gpu xla-cpu-plugin test test-page test-xla test-slurm test-slurm-long test-latex calibration calibration-short race check fmt vet lint lint-imports lint-mod lint-static lint-dead \
        bench bench-index bench-page bench-peers bench-workspace statistics stream-rss fuzz crash golden reference env cover clean

help: ## this list
	@printf 'headroom: make TARGET\n\n'
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

demo: build ## train and evaluate the built-in experiment, then write its report
	@start=$$(date +%s); bin/headroom run demo || exit $$?; run=$$(date +%s); \
	bin/headroom report demo -o headroom-runs/report/demo || exit $$?; end=$$(date +%s); \
	echo "demo: run $$((run - start)) s, report $$((end - run)) s; open headroom-runs/report/demo/"

# What `go build -v` prints, a line per package, becomes a line per 25 packages;
# what the compiler has to say is printed as it is. $(1) holds the arguments.
define go_build
	@{ $(GO) build -v -buildvcs=auto $(1) 2>&1; echo "status $$?"; } | { \
	n=0; while IFS= read -r line; do case "$$line" in \
	  "status "*) [ "$$line" != "status 0" ] || [ $$n = 0 ] || echo "build: done, $$n packages compiled"; exit "$${line#status }" ;; \
	  *[!A-Za-z0-9._~/-]*) echo "$$line" >&2 ;; \
	  *) n=$$((n + 1)); case $$n in \
	    1) echo "build: compiling; a first build takes minutes, later ones take seconds" ;; \
	    *[05]) [ $$((n % 25)) != 0 ] || echo "build: $$n packages, now $$line" ;; esac ;; \
	esac; done; }
endef

build: ## bin/headroom with the pure Go backend
	$(call go_build,-o bin/headroom ./cmd/headroom)

build-xla: ## bin/headroom-xla: the same commands, XLA linked in as well
	$(call go_build,-tags xla -o bin/headroom-xla ./cmd/headroom)

# Where `make install` puts the program: PREFIX/bin where PREFIX is given, else $GOBIN, else ~/.local/bin.
BINDIR = $(if $(PREFIX),$(PREFIX)/bin,$(or $(GOBIN),$(HOME)/.local/bin))

install: build ## copy bin/headroom to PREFIX/bin, else $GOBIN, else ~/.local/bin
	@install -d "$(BINDIR)" && install -m 755 bin/headroom "$(BINDIR)/headroom"
	@echo "installed $(BINDIR)/headroom: $$("$(BINDIR)/headroom" --version | head -n 1)"
	@case ":$$PATH:" in *":$(BINDIR):"*) ;; *) echo "$(BINDIR) is not in PATH: add it, or call the program by its path" ;; esac

release: ## bin/release: static programs for linux/amd64 and linux/arm64 (where a cross compiler is), with digests
	@GO="$(GO)" ./release.sh

bench-gpu: build-xla ## what bench/gpu.sh takes to a machine with a GPU: bin/headroom-xla, bin/gpubench
	$(GO) build -buildvcs=auto -tags xla -o bin/gpubench ./bench/gpu

xla-cpu-plugin: ## bin/xla-cpu: XLA's CPU client as a PJRT plugin, fetched with pip or from PIP_INDEX_URL (62 MB)
	@$(GO) run ./internal/xlaplugin bin/xla-cpu

CALIBRATION := bin/calibration
calibration: build ## how often verdicts and predictions are wrong, on some 2,000 real runs, into bin/calibration; hours, goes on where it stopped
	@[ -n "$$HEADROOM_DATA" ] || { echo "calibration: HEADROOM_DATA must name the folder of beir/medquad and checkpoints/splade-tiny"; exit 2; }
	@mkdir -p $(CALIBRATION)
	[ -d $(CALIBRATION)/demo ] || $(GO) run ./experiments/calibration $(CALIBRATION)/demo
	[ -d $(CALIBRATION)/medquad ] || $(GO) run ./experiments/calibration -from "$$HEADROOM_DATA/beir/medquad" -train 1000 -dev 150 $(CALIBRATION)/medquad
	[ -d $(CALIBRATION)/nan ] || $(GO) run ./experiments/calibration -position 47 \
		-model "$$(bin/headroom pretrain calibration-bert-plain --backend go -w $(CALIBRATION)/runs | awk '{ print $$2 }')" $(CALIBRATION)/nan
	for sweep in ramp calibration calibration/data calibration/medquad; do bin/headroom run experiments/$$sweep.toml -w $(CALIBRATION)/runs || exit 1; done
	for run in bert-plain-k16-s1-e0b9 modernbert-plain-k16-s1-1c9f; do warm=$(CALIBRATION)/warm-$${run%%-*}; \
		[ -d $$warm ] || bin/headroom export calibration-$$run --to $$warm -w $(CALIBRATION)/runs || exit 1; done
	bin/headroom run experiments/calibration/losses.toml -w $(CALIBRATION)/runs
	bin/headroom judge ramp calibration calibration-data calibration-medquad calibration-losses -w $(CALIBRATION)/runs --calibration $(CALIBRATION)/rates

calibration-short: ## 24 small real runs: how often verdicts and predictions are wrong of them, into bin/calibration/short; a minute or two
	@mkdir -p $(CALIBRATION)/short
	HEADROOM_CALIBRATION=$(CURDIR)/$(CALIBRATION)/short $(GO) test -count=1 -timeout 30m -run TestShortCalibration ./runner/worker
	@echo "$(CALIBRATION)/short/calibration.md"

# The plugin's compiler is told to hurry: the tests run tiny programs once or twice.
test-xla: ## the way to a GPU, tested through XLA's CPU client; skipped where its plugin cannot be had
	@plugin=$$($(GO) run ./internal/xlaplugin bin/xla-cpu) || { echo "test-xla: no plugin (see above): the tests of XLA are SKIPPED"; exit 0; }; \
	HEADROOM_XLA_PLUGIN=$$plugin XLA_FLAGS=--xla_backend_optimization_level=0 \
	$(GO) test -tags xla -run XLA $(TESTFLAGS) ./runner/engine ./runner/train/device ./runner/worker ./runner/cli && \
	$(MAKE) --no-print-directory bench-gpu && HEADROOM_XLA_PLUGIN=$$plugin XLA_FLAGS=--xla_backend_optimization_level=0 PYTHON=false bench/gpu.sh --cpu && \
	{ [ -n "$$HEADROOM_DATA" ] || { echo "test-xla: HEADROOM_DATA is not set: bench/gpu_result.sh --cpu is SKIPPED"; exit 0; }; \
	  export HEADROOM_XLA_PLUGIN=$$plugin XLA_FLAGS=--xla_backend_optimization_level=0 HEADROOM_GPU_OUT=$$(mktemp -d); trap 'rm -rf "$$HEADROOM_GPU_OUT"' EXIT; \
	  HEADROOM_GPU_LIMIT=10 bench/gpu_result.sh --cpu || [ $$? = 75 ] && bench/gpu_result.sh --cpu; }

SLURM := internal/install.sh 'command -v munged && command -v slurmctld && command -v slurmd && command -v sbatch' munge slurmctld slurmd slurm-client

# The packages that it needs are installed where this is root and apt-get is there.
test-slurm: ## sweeps on a real Slurm on the loopback, disturbed; skipped, with the reason, where it cannot be had (some minutes)
	@why=$$($(SLURM)) || { echo "test-slurm: Slurm is $$why: the tests on Slurm are SKIPPED"; exit 0; }; \
	HEADROOM_SLURM=short $(GO) test -count=1 -timeout 20m ./internal/slurmtest

test-slurm-long: ## test-slurm with time limits, preemptions, dead nodes and random kills (half an hour)
	@why=$$($(SLURM)) || { echo "test-slurm-long: Slurm is $$why"; exit 1; }; \
	HEADROOM_SLURM=long $(GO) test -count=1 -timeout 90m -v ./internal/slurmtest

test: ## every test; HEADROOM_DATA=DIR adds those on real data
	$(GO) test $(TESTFLAGS) $(PACKAGES)

# The browser is HEADROOM_CHROMIUM, or the distribution's, which is installed where this is root and apt-get is there.
CHROMIUM := command -v chromium || command -v chromium-browser || command -v google-chrome

test-page: ## the live page in Chromium; skipped, with the reason, where there is none (HEADROOM_SHOTS=DIR keeps pictures)
	@[ -n "$$HEADROOM_CHROMIUM" ] || why=$$(internal/install.sh '$(CHROMIUM)' chromium) || { echo "test-page: Chromium is $$why: the tests of the page are SKIPPED"; exit 0; }; \
	HEADROOM_CHROMIUM=$${HEADROOM_CHROMIUM:-$$($(CHROMIUM))} $(GO) test -count=1 -tags page -timeout 5m -run 'Page|Browser|Markup|Million' ./reports/serve

bench-page: build ## the live page of 500 runs of 10,000 steps and of 1,000 runs, in Chromium (2 GB in TMPDIR, minutes; PAGE_RUNS, PAGE_STEPS)
	HEADROOM_CHROMIUM=$${HEADROOM_CHROMIUM:-$$($(CHROMIUM))} HEADROOM_PROGRAM=$(CURDIR)/bin/headroom \
	$(GO) test -tags page -timeout 60m -run '^$$' -bench LivePage -benchtime 1x -v ./reports/serve -args -runs $(or $(PAGE_RUNS),500) -steps $(or $(PAGE_STEPS),10000)

test-latex: ## every table of the reports set by LaTeX; skipped, with the reason, where there is none
	@why=$$(internal/install.sh 'command -v pdflatex && kpsewhich booktabs.sty && kpsewhich threeparttable.sty' texlive-latex-recommended texlive-latex-extra) || \
	  { echo "test-latex: LaTeX is $$why: the tables are NOT set"; exit 0; }; \
	$(GO) test -count=1 -timeout 5m -run Compiles ./reports/table ./reports/report

check: fmt vet lint test race ## fmt, vet, lint, test and race in one

fmt: ## fail where gofmt would change a file
	@bad=$$("$$($(GO) env GOROOT)/bin/gofmt" -l $$(git ls-files --cached --others --exclude-standard '*.go')); \
	if [ -n "$$bad" ]; then echo "not formatted by gofmt:"; echo "$$bad"; exit 1; fi

vet:
	$(GO) vet ./...

lint: fmt vet lint-imports lint-mod lint-static lint-dead ## gofmt, go vet, the rules of the house, go.mod, staticcheck, deadcode

lint-imports: ## which package may import which; sizes of files and pages; what the documents name
	$(GO) test -count=1 ./internal/imports ./internal/house

# A difference is printed to standard output; without one, an error is the proxy's.
lint-mod: ## go.mod and go.sum are what go mod tidy would write
	@errors=$$(mktemp); trap 'rm -f "$$errors"' EXIT; \
	if difference=$$($(GO) mod tidy -diff 2>"$$errors"); then exit 0; fi; \
	if [ -n "$$difference" ]; then echo "$$difference"; echo "lint: go.mod is not tidy: run go mod tidy"; exit 1; fi; \
	echo "lint: go mod tidy has no answer (no module proxy?), so go.mod was NOT checked:"; head -n 3 "$$errors"

lint-static:
	@test -x $(TOOLS)/staticcheck || GOBIN=$(TOOLS) $(GO) install $(STATICCHECK) || \
	  { echo "lint: cannot install $(STATICCHECK) (no module proxy?): staticcheck did NOT run"; exit 0; }; \
	if [ -x $(TOOLS)/staticcheck ]; then $(TOOLS)/staticcheck ./...; fi

# Packages that help tests are left out, and functions that tests of several packages use.
TESTS_ALONE := ^internal/(alternate|atomic/faults|imports|pjrtstub|sample|slurmtest|spacetest|testfile|xlatest)/|: (OpenQrels|WithClock|Log.Flush|Log.Path|Rebuild|dtypeOf|Values|Outline|RunID)$$

lint-dead: ## functions that only tests reach
	@test -x $(TOOLS)/deadcode || GOBIN=$(TOOLS) $(GO) install $(DEADCODE) || \
	  { echo "lint: cannot install $(DEADCODE) (no module proxy?): functions that only tests reach were NOT looked for"; exit 0; }; \
	if [ -x $(TOOLS)/deadcode ]; then \
	  found=$$($(TOOLS)/deadcode ./cmd/... ./bench/... ./experiments/... ./internal/...) || exit 1; \
	  found=$$(echo "$$found" | grep -vE '$(TESTS_ALONE)'); \
	  [ -z "$$found" ] || { echo "$$found"; echo "lint: only tests reach these functions: move them to an export_test.go, or remove them"; exit 1; }; \
	fi

race: ## the concurrent packages under the race detector
	$(GO) test -race $(TESTFLAGS) -short ./runner/pool ./runner/lease ./runner/search ./metrics/... ./data/...

bench: ## benchmarks, ratios to Python peers included (PYTHON with sentence-transformers); BENCH=regexp chooses
	PYTHON=$(PYTHON) $(GO) test -run '^$$' -bench '$(BENCH)' -benchmem -timeout 60m $(PACKAGES)
	@if [ '$(BENCH)' = . ]; then PYTHON=$(PYTHON) data/tokenize/bench/tokenize_ratio.sh; fi

RUNS  ?= 100
STEPS ?= 1000

bench-workspace: ## plan of 10,000 points; fold, status, report, query of RUNS (100) generated runs of STEPS (1000) steps; in TMPDIR, 0.8 KB each step
	$(GO) test -run '^$$' -bench 'Plan$$|LargeWorkspace' -benchtime 1x -timeout 2h ./runner/cli -args -runs $(RUNS) -steps $(STEPS)

DOCUMENTS ?= 1000000

bench-peers: ## training steps, encoding and search in turns with sentence-transformers and numba: medians, least, memory, settings (PYTHON)
	PYTHON=$(PYTHON) bench/peers.sh

bench-index: ## build, load and search an index of DOCUMENTS (1000000) generated documents of 120 terms; in TMPDIR, 720 bytes each
	$(GO) test -run '^$$' -bench FullSize -benchtime 1x -timeout 6h ./runner/search -args -documents $(DOCUMENTS)

statistics: ## error rates of the report's test in simulated sweeps of known truth (some minutes; WORLDS=1000 per cell)
	$(GO) test -count=1 -timeout 3h ./metrics/stats -run 'Simulation$$' -worlds $(WORLDS) -v

stream-rss: ## the memory of training on 40 million generated rows (8 GB in TMPDIR, some minutes)
	$(GO) test -count=1 -timeout 60m ./data/loader -run ResidentMemory -rows 40000000 -v

fuzz: ## every fuzz target for FUZZTIME (10s)
	@grep -rlE --include='*_test.go' '^func Fuzz' . | xargs -r -n1 dirname | sort -u | while read -r dir; do \
	  grep -hoE '^func Fuzz[A-Za-z0-9_]*' $$dir/*_test.go | sed 's/^func //' | while read -r name; do \
	    echo "fuzz $$dir $$name"; \
	    $(GO) test -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) $$dir </dev/null || exit 1; \
	  done || exit 1; \
	done

KILLS ?= 100
DISKS ?= 10
SEED  ?= 1

crash: ## kill -9 KILLS times, fill DISKS disks, flip FLIPS bits, by SEED, and compare what comes of a sweep
	$(GO) test -count=1 -timeout 0 -v ./internal/crash -args -kills $(KILLS) -disks $(DISKS) -seed $(SEED) $(if $(FLIPS),-flips $(FLIPS))

golden: ## write the golden files again; look at the difference before a commit
	@dirs=$$(grep -rlE --include='*_test.go' 'flag\.Bool\("update"' . | xargs -r -n1 dirname | sort -u); \
	for dir in $$dirs; do $(GO) test $$dir -update || exit 1; done

reference: ## make checked-in reference values again, in a virtual environment with torch and transformers
	@test -x $(VENV)/bin/python || { $(PYTHON) -m venv $(VENV) && $(VENV)/bin/pip install -q -r internal/reference/requirements.txt; }
	@$(VENV)/bin/python data/tokenize/testdata/unicode.py > $(VENV)/ranges.go && cp $(VENV)/ranges.go data/tokenize/ranges_generated.go
	@for script in internal/reference/make_reference.py internal/reference/make_training.py $$(git ls-files '*/testdata/*reference.py'); do \
	  echo "python $$script"; (cd $$(dirname $$script) && $(VENV)/bin/python $$(basename $$script)) || exit 1; \
	done
	@if [ -n "$(HEADROOM_DATA)" ]; then $(VENV)/bin/python data/tokenize/testdata/reference.py "$(HEADROOM_DATA)"; fi

env: ## the exports that a plain go command needs
	@echo "export GOTOOLCHAIN=$(GOTOOLCHAIN) GOEXPERIMENT=$(GOEXPERIMENT) CGO_ENABLED=$(CGO_ENABLED)"

cover: ## test coverage, a line per function in cover.txt
	$(GO) test $(TESTFLAGS) -coverprofile=cover.out $(PACKAGES)
	$(GO) tool cover -func=cover.out > cover.txt
	@tail -1 cover.txt

clean: ## remove what make built; workspaces stay
	rm -rf bin cover.out cover.txt
