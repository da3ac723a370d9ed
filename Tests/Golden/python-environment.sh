#!/usr/bin/env bash
# Makes .venv/ in the repository's root and installs the requirements files given, where that is not done yet.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
environment=$root/.venv

if ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
    if ! command -v apt-get >/dev/null; then
        echo "python-environment: needs Python 3.11 or later with its venv module" >&2
        exit 1
    fi
    as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq python3 python3-venv >/dev/null
fi

# PyTorch's own index has builds without the gigabytes for GPUs; where it cannot be reached, any build does.
index=https://download.pytorch.org/whl/cpu
index_option() {
    if python3 -c "import urllib.request as r; r.urlopen('$index/torch/', timeout=10)" 2>/dev/null; then
        echo "--extra-index-url=$index"
    fi
}

[ -x "$environment/bin/python" ] || python3 -m venv "$environment"
for requirements in "$@"; do
    name=$(basename "$(dirname "$(realpath "$requirements")")")
    installed=$environment/$name-requirements.txt
    cmp -s "$requirements" "$installed" && continue
    echo "python-environment: installing $requirements into .venv/"
    # shellcheck disable=SC2046 # no option at all where the index cannot be reached
    "$environment/bin/python" -m pip install --quiet --disable-pip-version-check \
        $(index_option) --requirement "$requirements"
    cp "$requirements" "$installed"
done
