"""What the server adds to a picture, how many pages it serves, and how soon it is ready.

Usage: Benchmarks/server.py [TOOL]; needs requests of Tests/Clients/requirements.txt, and wrk.
"""

import re
import statistics
import subprocess
import sys
import time
from pathlib import Path

import requests

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "Tests/Clients"))
import server as serving  # noqa: E402

ROUNDS = 9


def median(values):
    return statistics.median(values)


def made(session, address, body):
    """Hands a job in and waits for its end by its events: how long that took, and the job."""
    start = time.perf_counter()
    job = session.post(f"{address}/api/v1/jobs", json=body).json()
    with session.get(f"{address}/api/v1/jobs/{job['id']}/events", stream=True) as stream:
        for line in stream.iter_lines(chunk_size=1):
            if line in (b"event: done", b"event: failed"):
                break
    seconds = time.perf_counter() - start
    return seconds, session.get(f"{address}/api/v1/jobs/{job['id']}").json()


def pages(address, path):
    text = subprocess.run(
        ["wrk", "-t1", "-c16", "-d5s", "--latency", address + path], capture_output=True, text=True,
        check=True).stdout
    return float(re.search(r"Requests/sec:\s+([\d.]+)", text)[1]), re.search(r"99%\s+(\S+)", text)[1]


def main():
    if len(sys.argv) > 1:
        import os
        os.environ["EASEL"] = sys.argv[1]
    ready = []
    for _ in range(5):
        start = time.perf_counter()
        with serving.Server() as server:
            ready.append(time.perf_counter() - start)
    print(f"start to ready: {median(ready):.2f} s")

    with serving.Server("--jobs-per-minute", "100000") as server:
        session = requests.Session()
        body = {"prompt": "a red apple on a yellow background", "steps": 20, "preview_interval": 0}
        made(session, server.address, {**body, "seed": 0})
        added = []
        for seed in range(1, ROUNDS + 1):
            seconds, job = made(session, server.address, {**body, "seed": seed})
            added.append(seconds - sum(job["timings"].values()))
        print(f"added to a picture's stages: {1000 * median(added):.0f} ms (median of {ROUNDS})")
        for seed in range(100, 160):
            session.post(f"{server.address}/api/v1/jobs", json={**body, "steps": 1, "seed": seed})
        while session.get(f"{server.address}/api/v1/status").json()["queued"]:
            time.sleep(0.2)
        newest = session.get(f"{server.address}/api/v1/pictures?limit=1").json()["pictures"][0]
        for name, path in (
            ("gallery page of 60", "/api/v1/pictures"), ("picture", newest["file"]),
            ("thumbnail", newest["thumbnail"]), ("studio", "/"), ("health", "/healthz"),
        ):
            rate, slowest = pages(server.address, path)
            print(f"{name}: {rate:.0f} a second, 99 % within {slowest}")
        job = session.post(
            f"{server.address}/api/v1/jobs", json={"prompt": "a", "steps": 150, "count": 60}).json()
        time.sleep(2)
        times = []
        for _ in range(50):
            start = time.perf_counter()
            session.get(f"{server.address}/healthz")
            times.append(time.perf_counter() - start)
        print(f"health while a picture is painted: {1000 * max(times):.0f} ms at most, of 50")
        session.post(f"{server.address}/api/v1/jobs/{job['id']}/cancel")


main()
