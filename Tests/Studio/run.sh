#!/bin/sh
# Clicks through the studio in a headless Chromium, against the tool that `make build` made.
# Usage: Tests/Studio/run.sh [FOLDER]; screenshots go to the folder. EASEL names another tool, CHROMIUM another browser.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
environment="${STUDIO_VENV:-$root/.build/studio-venv}"

if ! "$environment/bin/python" -c 'import playwright, axe_playwright_python' 2>/dev/null; then
    python3 -m venv "$environment"
    "$environment/bin/pip" install --quiet --requirement "$here/requirements.txt"
fi
EASEL="${EASEL:-$root/.build/release/easel}"
CHROMIUM="${CHROMIUM:-$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)}"
if [ -z "$CHROMIUM" ]; then
    echo "There is no Chromium: apt-get install chromium, or name one by CHROMIUM." >&2
    exit 1
fi
if [ ! -x "$EASEL" ]; then
    echo "There is no $EASEL: make build." >&2
    exit 1
fi
export EASEL CHROMIUM
exec "$environment/bin/python" "$here/studio.py" "$@"
