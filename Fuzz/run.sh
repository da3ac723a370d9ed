#!/usr/bin/env bash
# Fuzzes one reader of bytes from strangers: Fuzz/run.sh TARGET [SECONDS]
# The targets are the cases of Fuzz/Targets/FuzzTarget.swift. Inputs that reach new code are kept under .build; one
# that fails is written to Fuzz/Regressions, which `make test` replays.
set -euo pipefail
cd "$(dirname "$0")/.."

target=${1:?"name a target: $(sed -n 's/^ *case \([a-z]*\)$/\1/p' Fuzz/Targets/FuzzTarget.swift | paste -sd ' ')"}
seconds=${2:-60}
build=$PWD/.build/fuzz
mkdir -p "$build" "$build/corpus/$target" "Fuzz/Corpus/$target" "Fuzz/Regressions/$target"

sanitize=-fsanitize=fuzzer-no-link,address
c_module() { # a C target's module map and object
    local folder=$1 name=$2
    [ -f "$folder/include/module.modulemap" ] || printf 'module %s { header "%s" export * }\n' "$name" \
        "$PWD/$folder/include/$name.h" > "$build/$name.modulemap"
    clang -O1 -g $sanitize -I "$folder/include" $(pkg-config --cflags libpng libjpeg) -c "$folder/$name.c" -o "$build/$name.o"
}
swift_module() { # a Swift target's module and object; overflows and indices out of range still trap
    local name=$1 folder=$2
    swiftc -swift-version 6 -package-name easel -parse-as-library -O -wmo -sanitize=fuzzer,address -module-name "$name" -I "$build" \
        -Xcc "-fmodule-map-file=$build/CMappedFile.modulemap" -Xcc "-fmodule-map-file=$build/CPNGShim.modulemap" \
        -Xcc "-fmodule-map-file=$build/CJPEGShim.modulemap" \
        -Xcc "-fmodule-map-file=$PWD/Sources/CWebP/module.modulemap" \
        -Xcc "-fmodule-map-file=$PWD/Sources/CZlib/module.modulemap" $(pkg-config --cflags libwebpdemux) \
        -emit-module -emit-module-path "$build/$name.swiftmodule" -emit-object -o "$build/$name.o" \
        $(find "$folder" -name '*.swift')
}
c_module Sources/CMappedFile CMappedFile
c_module Sources/CPNGShim CPNGShim
c_module Sources/CJPEGShim CJPEGShim
for name in TensorGraph Checkpoints Conditioning Imaging; do swift_module $name Sources/$name; done
swift_module FuzzTargets Fuzz/Targets
swift_module FuzzEntry Fuzz/Entry.swift
swiftc -sanitize=fuzzer,address "$build"/*.o $(pkg-config --libs zlib libpng libjpeg libwebpdemux libwebpmux) -o "$build/fuzz"

# Leaks are not looked for: Foundation has one, in reading an empty file.
ASAN_OPTIONS=detect_leaks=0 EASEL_FUZZ_TARGET=$target SWIFT_BACKTRACE=enable=no "$build/fuzz" \
    "$build/corpus/$target" "Fuzz/Corpus/$target" "Fuzz/Regressions/$target" \
    -max_total_time="$seconds" -max_len=8192 -timeout=10 -print_final_stats=1 \
    -artifact_prefix="Fuzz/Regressions/$target/"
