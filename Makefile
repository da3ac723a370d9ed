# Easel's commands. `make help` lists them.
export PKG_CONFIG_PATH := $(CURDIR)/.openvino/lib/pkgconfig:$(PKG_CONFIG_PATH)

# Where Homebrew has the headers of Vulkan.
ifeq ($(shell uname -s),Darwin)
export CPATH := $(shell brew --prefix)/include:$(CPATH)
endif

EASEL := .build/release/easel
PROMPT ?= a red apple on a yellow background
SWIFT_SOURCES := Package.swift Plugins Sources Tests Benchmarks Fuzz

.PHONY: run serve test test-clients test-studio build format lint golden bench clean help set-up

run: build ## Make a picture with the demo model: make run PROMPT="a cat on a blue background"
	$(EASEL) generate --prompt "$(PROMPT)"

serve: build ## Open the server and the web studio at http://127.0.0.1:7860
	$(EASEL) serve

test: export EASEL_OPTIMIZED_TESTS := 1
test: ## Run every test
	@Scripts/set-up.sh tests
	swift build --build-tests --explicit-target-dependency-import-check error
	@# Tests that all run at once hold more compiled networks than the system lets one process map.
	swift test --skip-build --experimental-maximum-parallelization-width 2

test-clients: build ## Test the server with its Python clients (needs Python; minutes)
	Tests/Clients/run.sh

test-studio: build ## Click through the studio in a headless Chromium (needs Python; minutes)
	Tests/Studio/run.sh

build: set-up ## Build the tool, for release: .build/release/easel
	swift build --configuration release --product easel
	swift build --configuration release --product EaselOpenVINOOperations

format: ## Format the sources
	swift format --in-place --recursive --parallel $(SWIFT_SOURCES)

lint: ## Check the formatting
	swift format lint --strict --recursive --parallel $(SWIFT_SOURCES)

golden: ## Make the golden files again (needs Python; minutes)
	Tests/Golden/make.sh

bench: build ## Measure against diffusers and OpenVINO's own conversion (needs Python; an hour)
	Benchmarks/run.sh

clean: ## Remove what was built; keep what set-up fetched
	rm -rf .build

help: ## List these commands
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 22

set-up:
	@Scripts/set-up.sh
