# Two commands do everything on a fresh machine: `make play` and `make test`. Both need only Python 3.11 or newer and make.

PYTHON ?= python3
BIN := .venv/bin
# Anything that must be there before Python packages can be built or tests can run; see .ci/system-packages.
.DEFAULT_GOAL := help

.PHONY: help play install install-train test check format lock benchmark benchmark-osc benchmark-flood benchmark-fuzz benchmark-subscribers benchmark-timetags benchmark-midi benchmark-start benchmark-idle benchmark-switch benchmark-voices benchmark-notes benchmark-orchestra benchmark-scenes benchmark-latency benchmark-tonal decoders vouchers pictures sounds clean benchmark-page benchmark-listening benchmark-power-cut benchmark-training benchmark-deadlines benchmark-crowd benchmark-overload benchmark-recording soak benchmark-workers benchmark-training-speed benchmark-training-folder

help:  ## list these commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-16s %s\n", $$1, $$2}'

play: install  ## install what is needed and start the instrument
	@$(BIN)/oscsynth serve

install: .venv/play.stamp  ## install the instrument into .venv

install-train: .venv/test.stamp  ## install what training needs too

# These only compute, so that several may at once; all others have something in real time beside them.
COMPUTING := tests/training tests/sound
# Many of them start the instrument, which is not to be compiled each time.
PYTEST := PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest

test: .venv/test.stamp  ## install what tests need and run all of them
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(PYTEST) --numprocesses auto --maxprocesses 4 --dist loadfile --timeout 300 $(COMPUTING)
	$(PYTEST) $(addprefix --ignore=,$(COMPUTING))

check: .venv/test.stamp  ## the quick checks alone: style and types
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy

format: .venv/test.stamp  ## put the code into shape
	$(BIN)/ruff check --fix . ; $(BIN)/ruff format .

benchmark: .venv/test.stamp  ## measure speed and latency beside the paper's loop (minutes)
	$(BIN)/python -m benchmarks.compute

benchmark-osc: .venv/test.stamp  ## measure OSC messages a second
	$(BIN)/python -m benchmarks.osc_throughput

FLOOD := --kinds immediate --flood 20000 --load $$(getconf _NPROCESSORS_ONLN)
benchmark-flood: .venv/test.stamp  ## a flood of OSC and a busy program on each core: latency, and what others notice (needs supercollider-server)
	$(BIN)/python -m benchmarks.latency $(FLOOD) --output docs/benchmarks
	$(BIN)/python -m benchmarks.osc_flood --output docs/benchmarks

benchmark-fuzz: .venv/test.stamp  ## two million broken OSC packets
	$(BIN)/python -m benchmarks.osc_fuzz

benchmark-subscribers: .venv/test.stamp  ## fifty subscribers with faders moving
	$(BIN)/python -m benchmarks.osc_subscribers

benchmark-timetags: .venv/test.stamp  ## five hundred bundles ahead of time, through JACK
	$(BIN)/python -m benchmarks.timetags

benchmark-latency: .venv/test.stamp  ## from the OSC packet to the sound through JACK, beside scsynth (needs supercollider-server)
	$(BIN)/python -m benchmarks.latency --output docs/benchmarks

benchmark-deadlines: .venv/test.stamp  ## how much of its time a block takes, alone and on a busy machine, through JACK
	$(BIN)/python -m benchmarks.deadlines --output docs/benchmarks

benchmark-crowd: .venv/test.stamp  ## how long blocks take while everything moves
	$(BIN)/python -m benchmarks.crowd

benchmark-overload: .venv/test.stamp  ## more notes than there is time for
	$(BIN)/python -m benchmarks.overload --output docs/benchmarks

benchmark-recording: .venv/test.stamp  ## ten minutes of a recording against what was heard
	$(BIN)/python -m benchmarks.recording --output docs/benchmarks

MINUTES ?= 30
RENDER_AHEAD ?= 0
soak: .venv/test.stamp  ## half an hour (or MINUTES=120) of everything at once under JACK, with RENDER_AHEAD=0 blocks
	$(BIN)/python -m benchmarks.soak --minutes $(MINUTES) --render-ahead $(RENDER_AHEAD) --output docs/benchmarks

benchmark-midi: .venv/test.stamp  ## measure how fast MIDI files are rendered, and how exactly a keyboard is heard
	$(BIN)/python -m benchmarks.midi_file
	$(BIN)/python -m benchmarks.midi_jack

benchmark-start: .venv/test.stamp  ## measure the start, memory and recovery
	$(BIN)/python -m benchmarks.start --output docs/benchmarks

benchmark-idle: .venv/test.stamp  ## measure what a drone that stands costs, through JACK
	$(BIN)/python -m benchmarks.idle --output docs/benchmarks

benchmark-training: .venv/test.stamp  ## measure the memory that training on 20 hours of sound takes (13 GB of disk)
	$(BIN)/python -m benchmarks.training_memory

benchmark-training-folder: .venv/test.stamp  ## a stranger's folder becomes an instrument, killed twice on the way
	$(BIN)/python -m benchmarks.training_folder

benchmark-training-speed: .venv/test.stamp  ## measure how long a batch takes, by size, compiler and width of numbers
	$(BIN)/python -m benchmarks.training_speed

benchmark-page: .venv/test.stamp  ## measure how soon the page is heard, and how soon it follows, in Chromium
	$(BIN)/python -m benchmarks.page

benchmark-listening: .venv/test.stamp  ## listen in Chromium for a minute: the same samples, the delay, the cost
	$(BIN)/python -m benchmarks.listening

benchmark-workers: .venv/test.stamp  ## train with two workers and with one, and compare
	$(BIN)/python -m benchmarks.training_workers

benchmark-power-cut: .venv/test.stamp  ## kill everything in the middle of a scene, and measure how soon the same is heard
	$(BIN)/python -m benchmarks.power_cut

benchmark-switch: .venv/test.stamp  ## ten patch switches a second for a minute under JACK
	$(BIN)/python -m benchmarks.switch --output docs/benchmarks

benchmark-tonal: .venv/test.stamp  ## measure the tonal phase beside Griffin-Lim and RTPGHI
	$(BIN)/python -m benchmarks.tonal

.PHONY: benchmark-resynthesis
benchmark-resynthesis: .venv/test.stamp  ## measure how near a sound comes that is played through its decoder, and whether its faders click
	$(BIN)/python -m benchmarks.resynthesis

benchmark-scenes: .venv/test.stamp  ## twenty scenes at random, ten switches a second for a minute under JACK
	$(BIN)/python -m benchmarks.scenes --output docs/benchmarks

benchmark-voices: .venv/test.stamp  ## measure what up to sixty-four notes take of a core
	$(BIN)/python -m benchmarks.voices --output docs/benchmarks

benchmark-orchestra: .venv/test.stamp  ## measure how true the orchestra's notes are, and a transfer in one that is held
	$(BIN)/python -m benchmarks.orchestra

benchmark-notes: .venv/test.stamp  ## a hundred thousand random note events (minutes)
	$(BIN)/python -m benchmarks.notes

decoders: .venv/test.stamp  ## train the shipped decoders again, from their recipes (hours)
	for recipe in violin one-octave five-octaves cathedral; do $(BIN)/python -m oscsynth train recipe $$recipe || exit 1; done ; $(BIN)/python -m oscsynth train orchestra && $(MAKE) vouchers

.PHONY: paper
paper: .venv/test.stamp  ## repeat the paper's experiments and write docs/paper.md (hours; goes on where it was)
	$(BIN)/python -m training paper

.PHONY: tracks
tracks: .venv/test.stamp  ## play the tracks of patches that resynthesise again, with the soundfont
	$(BIN)/python -c 'from pathlib import Path; from training.tracks import write; print(*write(Path("patches/tracks")))'

.PHONY: paper-timbre
paper-timbre: .venv/test.stamp  ## repeat the second paper's experiments and write docs/timbre-paper.md (hours; goes on where it was)
	$(BIN)/python -m training paper-timbre

vouchers: .venv/test.stamp  ## check the shipped decoders, so that the first start need not
	$(BIN)/python -c 'from pathlib import Path; from oscsynth.probe import vouch; vouch(Path("patches/decoders"))'

pictures: .venv/test.stamp  ## draw the spectrograms in docs/pictures, and take those of the page
	$(BIN)/python -m benchmarks.pictures
	$(BIN)/python -m benchmarks.page_pictures

sounds: .venv/test.stamp  ## render ten seconds of every factory patch to docs/sounds, and the tour
	$(BIN)/oscsynth demo --audio docs/sounds/tour.flac
	for score in docs/sounds/*.score; do \
	  $(BIN)/oscsynth render $$score -o $${score%.score}.flac --bits 16 --seconds 10 --patch "$$(sed -n '1s/^# patch: //p' $$score)" || exit 1; \
	done

.PHONY: walk
walk: .venv/test.stamp  ## follow the README block by block on a fresh clone in an empty home (installs everything again)
	$(BIN)/python -m benchmarks.walk

.PHONY: walk-installs
walk-installs: .venv/test.stamp  ## install with uv, pipx and pip as docs/install.md says, each in an empty home
	$(BIN)/python -m benchmarks.installs

LOCK := $(BIN)/uv pip compile -q --upgrade --universal --generate-hashes --python-version 3.11 --no-emit-index-url --no-emit-find-links --no-header
lock: .venv/test.stamp  ## choose the newest versions again and write the lock files
	$(LOCK) --group installer -o install.lock
	$(LOCK) --extra midi --group build pyproject.toml -o play.lock
	$(LOCK) --all-extras --group build pyproject.toml -o test.lock

clean:  ## remove .venv and everything made
	rm -rf .venv build dist *.egg-info

# uv installs in seconds what takes pip most of a minute; pip does it where there is no uv for a machine, or uv does not know the way to the packages.
PIP := $(BIN)/python -m pip install -q --disable-pip-version-check
UV := test -x $(BIN)/uv && $(BIN)/uv pip install -q --python $(BIN)/python

.venv/play.stamp: install.lock play.lock pyproject.toml .ci/system-packages
	@$(PYTHON) -c 'import sys; sys.exit("oscsynth needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Try: make PYTHON=python3.12") if sys.version_info < (3, 11) else None'
	@PYTHON=$(PYTHON) sh .ci/system-packages play
	@echo "Installing Python packages into .venv"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(PIP) --no-compile --require-hashes -r install.lock || echo "It goes on without uv, which takes longer." >&2
	@($(UV) --require-hashes -r play.lock) || $(PIP) --require-hashes -r play.lock
	@($(UV) --no-deps --no-build-isolation -e .) || $(PIP) --no-deps --no-build-isolation -e .
	@touch $@

.venv/test.stamp: .venv/play.stamp test.lock
	@PYTHON=$(PYTHON) sh .ci/system-packages test
	@($(UV) --require-hashes -r test.lock) || $(PIP) --require-hashes -r test.lock
	@touch $@
