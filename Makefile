# Onset: `make run` opens the program on the bundled clip, `make test` runs every test.
# Both install what is missing (Debian/Ubuntu), and build once with one profile.

SHELL := /bin/bash
export CARGO_TARGET_DIR ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/onset/target
ONSET := $(CARGO_TARGET_DIR)/debug/onset
CLIP := assets/clip/sample.mp4
RESULTS ?= onset-results

.PHONY: run test setup setup-test build bench bench-kernels bench-peers bench-long fmt lint sample licences landmarks

run: build
	@if [ -n "$$DISPLAY$$WAYLAND_DISPLAY" ]; then \
		"$(ONSET)" view "$(CLIP)"; \
	else \
		echo "No display found: analysing the bundled clip without a window."; \
		{ "$(ONSET)" analyze "$(CLIP)" --out "$(RESULTS)" --force || [ $$? -eq 3 ]; } && \
		echo "Results: $(abspath $(RESULTS))/sample (frames.csv, intervals.csv, recording.json, timeline.png)" && \
		cat "$(RESULTS)/sample/intervals.csv"; \
	fi

build: setup
	cargo build --locked

test: setup-test
	cargo test --locked

# The two lists are in assets/setup/packages.sh, which says what to install elsewhere.
setup:
	@bash assets/setup/packages.sh run

setup-test:
	@bash assets/setup/packages.sh test

bench: build
	"$(ONSET)" bench

# The inner loops one by one, with the profile that everything else is built with.
bench-kernels: setup
	cargo bench --locked --profile dev --bench motion

# Onset's flow and OpenCV's side by side, where ../shared/tools is at hand.
bench-peers: build
	@bash assets/bench/peers.sh "$(ONSET)"

# A folder of 10,000 images at 200 frames a second.
bench-long: build
	@bash assets/bench/long_folder.sh "$(ONSET)"

fmt:
	cargo fmt --check

lint: setup-test
	cargo clippy --locked --all-targets -- -D warnings

# Draws the bundled clip and its truth again, byte for byte.
sample: build
	"$(ONSET)" synth --sample --out assets/clip

# Writes the list of crates and licences in "About Onset" again, after a change of Cargo.lock.
licences:
	@bash assets/setup/licences.sh

# Derives the compact 68-point predictor again from Debian's libdlib-data.
landmarks: build
	"$(ONSET)" weights import dlib-landmarks /usr/share/dlib/shape_predictor_68_face_landmarks.dat --out assets/models/landmarks68-compact.bin
