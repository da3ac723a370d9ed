#!/usr/bin/env bash
# Fuzzes one reader of bytes from strangers: Fuzz/run.sh TARGET [EXECUTIONS] [OPTIONS of libFuzzer]
# The targets are the cases of Fuzz/Targets/FuzzTarget.swift. Inputs that reach new code are kept under .build; one
# that fails is written to Fuzz/Regressions, which `make test` replays. Fuzz/run.sh TARGET minimize leaves in Fuzz/Corpus
# the smallest inputs that reach all that is reached.
set -euo pipefail
cd "$(dirname "$0")/.."
export PKG_CONFIG_PATH=$PWD/.openvino/lib/pkgconfig:${PKG_CONFIG_PATH:-}

target=${1:?"name a target: $(sed -n 's/^ *case \([a-z]*\)$/\1/p' Fuzz/Targets/FuzzTarget.swift | paste -sd ' ')"}
executions=${2:-1000000}
shift $(($# < 2 ? $# : 2))
build=$PWD/.build/fuzz
mkdir -p "$build/corpus/$target" "Fuzz/Corpus/$target" "Fuzz/Regressions/$target"

# Overflows and indices out of range still trap. The package has no product that is linked with a fuzzer.
swift build --configuration release --scratch-path "$build/package" --sanitize fuzzer --sanitize address \
    --target FuzzTargets
swiftc -swift-version 6 -parse-as-library -O -sanitize=fuzzer,address -module-name FuzzEntry \
    -emit-object -o "$build/FuzzEntry.o" Fuzz/Entry.swift
swiftc -sanitize=fuzzer,address "$build/FuzzEntry.o" $(find "$build"/package/release/*.build -name '*.o') \
    $(pkg-config --libs zlib libpng libjpeg libwebpdemux libwebpmux) -o "$build/fuzz"

# Leaks are not looked for: Foundation has one, in reading an empty file. Short inputs reach what long ones do, sooner.
export ASAN_OPTIONS=detect_leaks=0:malloc_context_size=0:quarantine_size_mb=1
export EASEL_FUZZ_TARGET=$target SWIFT_BACKTRACE=enable=no
[ -d /dev/shm ] && export TMPDIR=/dev/shm
if [ "$executions" = minimize ]; then
    rm -rf "$build/small" && mkdir "$build/small"
    "$build/fuzz" -merge=1 "$build/small" "Fuzz/Corpus/$target" "$build/corpus/$target"
    rm -rf "Fuzz/Corpus/$target" && mv "$build/small" "Fuzz/Corpus/$target"
    exit
fi
dictionary=Fuzz/Dictionaries/$target
"$build/fuzz" "$build/corpus/$target" "Fuzz/Corpus/$target" "Fuzz/Regressions/$target" \
    $([ -f "$dictionary" ] && echo "-dict=$dictionary") -runs="$executions" -max_len=1024 -timeout=60 \
    -print_final_stats=1 -artifact_prefix="Fuzz/Regressions/$target/" "$@"
