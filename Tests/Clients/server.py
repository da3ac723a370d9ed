"""Starts the built tool's server in a folder of its own, and ends it."""

import os
import re
import signal
import subprocess
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


def tool() -> str:
    given = os.environ.get("EASEL")
    if given:
        return given
    for build in ("release", "debug"):
        path = REPOSITORY / ".build" / build / "easel"
        if path.exists():
            return str(path)
    raise SystemExit("easel is not built: make build")


class Server:
    """`easel serve` on a free port; `with Server() as server:` ends it, and its folder with it."""

    def __init__(self, *options: str, folder: str | None = None):
        self.options = options
        self.own = None if folder else tempfile.TemporaryDirectory(prefix="easel-server-")
        self.folder = folder or self.own.name

    def start(self) -> "Server":
        self.process = subprocess.Popen(
            [tool(), "serve", "--port", "0", "--data-dir", self.folder, *self.options],
            stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        found = re.search(r"http://([^/]+):(\d+)/", line)
        if not found:
            raise SystemExit(f"easel serve did not start: {line!r}")
        self.port = int(found[2])
        self.address = f"http://127.0.0.1:{self.port}"
        return self

    def end(self, number: int = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(timeout=60)
        self.process.stdout.close()
        return code

    def __enter__(self) -> "Server":
        return self.start()

    def __exit__(self, *_):
        self.end()
        if self.own:
            self.own.cleanup()
