#!/usr/bin/env bash
# Fuzzes one reader of bytes from strangers: Fuzz/run.sh TARGET [EXECUTIONS] [OPTIONS of libFuzzer]
# The targets are the cases of Fuzz/Targets/FuzzTarget.swift. Inputs that reach new code are kept under .build; one
# that fails is written to Fuzz/Regressions, which `make test` replays. Fuzz/run.sh TARGET minimize adds to Fuzz/Corpus
# the fewest of the others that reach what the inputs there do not.
set -euo pipefail
cd "$(dirname "$0")/.."
export PKG_CONFIG_PATH=$PWD/.openvino/lib/pkgconfig:${PKG_CONFIG_PATH:-}

target=${1:?"name a target: $(sed -n 's/^ *case \([a-z]*\)$/\1/p' Fuzz/Targets/FuzzTarget.swift | paste -sd ' ')"}
executions=${2:-1000000}
shift $(($# < 2 ? $# : 2))
build=$PWD/.build/fuzz
mkdir -p "$build/corpus/$target" "Fuzz/Corpus/$target" "Fuzz/Regressions/$target"

# Overflows and indices out of range still trap. The package has no product that is linked with a fuzzer.
# Package.swift has this package's own code tell where it has been.
export EASEL_FUZZ=1
options=(--configuration release --scratch-path "$build/package" --sanitize address)
swift build "${options[@]}" --target FuzzTargets
products=$(swift build "${options[@]}" --show-bin-path)
find "$products"/*.build -name '*.o' -print0 | xargs -0 -s 2000000 swiftc -sanitize=fuzzer,address \
    $(pkg-config --libs zlib libpng libjpeg libwebpdemux libwebpmux) -o "$build/fuzz"

# Leaks are not looked for: Foundation has one, in reading an empty file. Short inputs reach what long ones do, sooner;
# prompts and events are read several times, in time that grows with their length.
length=1024
case $target in prompt | events) length=256 ;; esac
export ASAN_OPTIONS=detect_leaks=0:malloc_context_size=0:quarantine_size_mb=1
export EASEL_FUZZ_TARGET=$target SWIFT_BACKTRACE=enable=no
[ -d /dev/shm ] && export TMPDIR=/dev/shm
if [ "$executions" = minimize ]; then
    "$build/fuzz" -set_cover_merge=1 -use_counters=0 "Fuzz/Corpus/$target" "$build/corpus/$target"
    exit
fi
dictionary=Fuzz/Dictionaries/$target
"$build/fuzz" "$build/corpus/$target" "Fuzz/Corpus/$target" "Fuzz/Regressions/$target" \
    $([ -f "$dictionary" ] && echo "-dict=$dictionary") -runs="$executions" -max_len=$length -timeout=60 \
    -print_final_stats=1 -artifact_prefix="Fuzz/Regressions/$target/" "$@"
