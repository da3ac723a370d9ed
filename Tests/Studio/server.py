"""Starts the tool's server in a folder of its own, on a free port."""
import os
import re
import signal
import subprocess
import tempfile
import threading


class Server:
    """`easel serve` with the embedded model; as a context it ends with it."""

    def __init__(self, *options, folder=None):
        self.options = options
        self.temporary = None if folder else tempfile.TemporaryDirectory(prefix="easel-studio-")
        self.folder = folder or self.temporary.name
        self.process = None
        self.port = 0

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()
        if self.temporary:
            self.temporary.cleanup()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/"

    def start(self):
        """Waits for the line with the address; the port stays the same over a restart."""
        command = [os.environ["EASEL"], "serve", "--port", str(self.port), "--data-dir", self.folder, *self.options]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        said = []
        for line in self.process.stdout:
            said.append(line)
            address = re.search(r"http://[^/\s]*:(\d+)/", line)
            if address:
                self.port = int(address.group(1))
                # What it says later is read too, so that it never waits for a reader.
                threading.Thread(target=self.process.stdout.read, daemon=True).start()
                return
        raise RuntimeError("the server did not start: " + "".join(said))

    def stop(self):
        """Returns the exit status that SIGTERM leads to."""
        if self.process is None or self.process.poll() is not None:
            return None
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
