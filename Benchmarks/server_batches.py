"""How long many small jobs of several clients take, one after another and at once.

Usage: Benchmarks/server_batches.py [TOOL]; needs requests of Tests/Clients/requirements.txt.
"""

import os
import re
import statistics
import sys
import time
from pathlib import Path

import requests

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "Tests/Clients"))
import server as serving  # noqa: E402

ROUNDS, JOBS, CLIENTS = 3, 40, 4


def seconds_of_all(session, address, first_seed):
    """Hands the jobs in, the clients in turn, and waits until all are done."""
    start = time.perf_counter()
    for index in range(JOBS):
        body = {"prompt": f"a red apple, number {index}", "steps": 20, "seed": first_seed + index, "width": 128,
                "height": 128}
        session.post(
            f"{address}/api/v1/jobs", json=body, headers={"Easel-Client": f"client-{index % CLIENTS}"}
        ).raise_for_status()
    while True:
        status = session.get(f"{address}/api/v1/status").json()
        if status["queued"] == 0 and status["running"] is None:
            break
        time.sleep(0.02)
    seconds = time.perf_counter() - start
    states = session.get(f"{address}/api/v1/jobs?limit={JOBS}").json()["jobs"]
    assert [job["state"] for job in states] == ["done"] * JOBS
    return seconds


def main():
    if len(sys.argv) > 1:
        os.environ["EASEL"] = sys.argv[1]
    for limit in (1, 4):
        with serving.Server("--jobs-per-minute", "100000", "--jobs-at-once", str(limit)) as server:
            session = requests.Session()
            first = seconds_of_all(session, server.address, 0)
            rounds = [seconds_of_all(session, server.address, 1000 * (index + 1)) for index in range(ROUNDS)]
            metrics = session.get(f"{server.address}/metrics").text
            batches = re.search(r"easel_job_batches_total (\d+)", metrics)
            print(
                f"{JOBS} jobs of {CLIENTS} clients, at most {limit} at once: {statistics.median(rounds):.1f} s "
                f"(median of {ROUNDS}: {', '.join(f'{one:.1f}' for one in rounds)}); {first:.1f} s on a server that was "
                f"just installed; {batches[1] if batches else 0} batches")


main()
