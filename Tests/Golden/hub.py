"""Holds Easel's cache of models to huggingface_hub's.

    python Tests/Golden/hub.py                  writes Tests/Golden/hub/cache.json: the cache that huggingface_hub makes
    python Tests/Golden/hub.py .build/release/easel     lets both programs read what the other has fetched

Both fetch the repository of Tests/EaselHubTests/TinyHub.swift from a server on this machine.
"""

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

COMMIT = "0123456789" * 4
REPOSITORY = "someone/tiny"
SMALL = [
    "model_index.json", "README.md", "unet/config.json", "vae/config.json", "text_encoder/config.json",
    "safety_checker/config.json", "scheduler/scheduler_config.json", "tokenizer/vocab.json", "tokenizer/merges.txt",
]
LARGE = [
    "unet/diffusion_pytorch_model.safetensors", "unet/diffusion_pytorch_model.bin",
    "unet/diffusion_pytorch_model.fp16.safetensors", "vae/diffusion_pytorch_model.safetensors",
    "safety_checker/model.safetensors", "v1.ckpt", "v1.safetensors", "text_encoder/model-00001-of-00002.safetensors",
    "text_encoder/model-00002-of-00002.safetensors",
]
FILES = {name: f'{{"{name}": 1}}\n'.encode() for name in SMALL}
FILES |= {name: bytes((i * 31 + len(name)) & 255 for i in range(100_000)) for name in LARGE}
FILES["text_encoder/model.safetensors.index.json"] = b'{"weight_map": {}}'
# What Easel takes of it.
MODEL = [
    "model_index.json", "scheduler/scheduler_config.json", "text_encoder/config.json", *LARGE[-2:],
    "text_encoder/model.safetensors.index.json", "tokenizer/merges.txt", "tokenizer/vocab.json", "unet/config.json",
    "unet/diffusion_pytorch_model.safetensors", "vae/config.json", "vae/diffusion_pytorch_model.safetensors",
]


def etag(name):
    content = FILES[name]
    if name in LARGE:
        return hashlib.sha256(content).hexdigest()
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


class Hub(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    requests = []

    def log_message(self, *arguments):
        pass

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), str(value))
        if "Content_Length" not in headers:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        path = unquote(urlsplit(self.path).path)
        Hub.requests.append(f"{self.command} {path}")
        if path.startswith("/storage/"):
            return self.content(path.removeprefix("/storage/"))
        for revision in ["main", COMMIT]:
            if path == f"/api/models/{REPOSITORY}/revision/{revision}":
                siblings = [{"rfilename": name} for name in sorted(FILES)]
                body = {"id": REPOSITORY, "modelId": REPOSITORY, "sha": COMMIT, "siblings": siblings}
                return self.answer(200, json.dumps(body).encode(), Content_Type="application/json")
            if path.startswith(f"/api/models/{REPOSITORY}/tree/{revision}"):
                body = [self.entry(name) for name in sorted(FILES)]
                return self.answer(200, json.dumps(body).encode(), Content_Type="application/json")
            name = path.removeprefix(f"/{REPOSITORY}/resolve/{revision}/")
            if name in FILES:
                if name not in LARGE:
                    return self.content(name, X_Repo_Commit=COMMIT, ETag=f'"{etag(name)}"')
                return self.answer(
                    302, X_Repo_Commit=COMMIT, ETag='"pointer"', X_Linked_Etag=f'"{etag(name)}"',
                    X_Linked_Size=len(FILES[name]), Location=f"http://localhost:{self.server.server_port}/storage/{name}")
        return self.answer(404, X_Error_Code="EntryNotFound" if "/resolve/" in path else "RepoNotFound")

    @staticmethod
    def entry(name):
        entry = {"type": "file", "oid": etag(name)[:40], "size": len(FILES[name]), "path": name}
        if name in LARGE:
            entry["lfs"] = {"oid": etag(name), "size": len(FILES[name]), "pointerSize": 131}
        return entry

    def content(self, name, **headers):
        body, given = FILES[name], self.headers.get("Range")
        if given and given.startswith("bytes="):
            first, last = (given.removeprefix("bytes=").split("-") + [""])[:2]
            end = int(last) + 1 if last else len(body)
            headers["Content_Range"] = f"bytes {first}-{end - 1}/{len(body)}"
            return self.answer(206, body[int(first):end], **headers)
        return self.answer(200, body, **headers)


def tree(cache):
    """All of a cache but locks: links with what they lead to, files with their size, references with their commit."""
    found = {}
    for path in sorted(Path(cache).rglob("*")):
        name = path.relative_to(cache).as_posix()
        if name.startswith(".locks") or path.is_dir() and not path.is_symlink():
            continue
        if path.is_symlink():
            found[name] = os.readlink(path)
        elif "/refs/" in name:
            found[name] = path.read_text()
        else:
            found[name] = path.stat().st_size
    return found


def python(cache, code, port, **environment):
    """Runs code with huggingface_hub in a process of its own, whose cache this is."""
    run = subprocess.run(
        [sys.executable, "-c", code], text=True, capture_output=True,
        env=os.environ | {"HF_HUB_CACHE": str(cache), "HF_ENDPOINT": f"http://127.0.0.1:{port}", "HF_HUB_DISABLE_XET": "1",
                          "HF_HUB_DISABLE_TELEMETRY": "1", **environment})
    if run.returncode != 0:
        sys.exit(f"huggingface_hub failed:\n{run.stderr}")
    return run.stdout.strip()


DOWNLOAD = f"""
from huggingface_hub import snapshot_download
print(snapshot_download({REPOSITORY!r}, allow_patterns={MODEL!r}))
"""

READ = f"""
import os
from huggingface_hub import hf_hub_download, scan_cache_dir, snapshot_download, try_to_load_from_cache
folder = snapshot_download({REPOSITORY!r}, local_files_only=True, allow_patterns={MODEL!r})
assert folder.endswith({COMMIT!r}), folder
for name in {MODEL!r}:
    path = hf_hub_download({REPOSITORY!r}, name)
    assert path == os.path.join(folder, name) == try_to_load_from_cache({REPOSITORY!r}, name), path
assert try_to_load_from_cache({REPOSITORY!r}, "v1.ckpt") is None
cache = scan_cache_dir()
assert not cache.warnings, cache.warnings
(repository,) = cache.repos
(revision,) = repository.revisions
assert revision.refs == {{"main"}} and len(revision.files) == {len(MODEL)}, revision
print(folder)
"""


def easel(tool, cache, port, *arguments, **environment):
    run = subprocess.run(
        [tool, *arguments], text=True, capture_output=True,
        env=os.environ | {"HF_HUB_CACHE": str(cache), "HF_ENDPOINT": f"http://127.0.0.1:{port}",
                          "EASEL_MODELS": str(Path(cache) / "own"), **environment})
    if run.returncode != 0:
        sys.exit(f"easel {' '.join(arguments)} failed:\n{run.stderr}")
    return run.stdout.strip()


def compare(tool, port):
    with tempfile.TemporaryDirectory() as first, tempfile.TemporaryDirectory() as second:
        folder = easel(tool, first, port, "pull", REPOSITORY)
        assert python(first, READ, port, HF_HUB_OFFLINE="1") == folder
        print("huggingface_hub reads what easel fetched")
        folder = python(second, DOWNLOAD, port)
        Hub.requests.clear()
        assert easel(tool, second, port, "pull", REPOSITORY, HF_HUB_OFFLINE="1") == folder
        assert not Hub.requests, Hub.requests
        assert easel(tool, second, port, "models").startswith(REPOSITORY)
        # Neither fetches again what the other has.
        easel(tool, second, port, "pull", REPOSITORY)
        python(first, DOWNLOAD, port)
        fetched = [request for request in Hub.requests if request.startswith("GET") and "/storage/" in request]
        assert not fetched, fetched
        print("easel reads what huggingface_hub fetched")


server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
threading.Thread(target=server.serve_forever, daemon=True).start()
if len(sys.argv) > 1:
    compare(os.path.abspath(sys.argv[1]), server.server_port)
else:
    with tempfile.TemporaryDirectory() as cache:
        python(cache, DOWNLOAD, server.server_port)
        target = Path(__file__).parent / "hub" / "cache.json"
        target.parent.mkdir(exist_ok=True)
        target.write_text(json.dumps(tree(cache), indent=1) + "\n")
