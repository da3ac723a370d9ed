"""A day's requests of a busy client, as fast as the server answers them: what memory it takes meanwhile.

Usage: Benchmarks/server_day.py [TOOL]; needs requests of Tests/Clients/requirements.txt.

Whoever asks for a picture every thirty seconds, day and night, asks for 2,880. Each is a job of two steps, from one of
the three APIs in turn, watched by its events or asked after; with it a page of the gallery, a search, the picture and its
thumbnail, the queue and the progress are looked at. One in two pictures is deleted, one in eight is a start for the next
job, one in sixteen jobs is cancelled.
"""

import base64
import os
import sys
import threading
import time
from pathlib import Path

import requests

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "Tests/Clients"))
import server as serving  # noqa: E402

JOBS = int(os.environ.get("EASEL_DAY_JOBS", 2880))
WORDS = "red blue green yellow apple fish circle house tree boat cat hill moon star".split()


class Day:
    def __init__(self, address, process):
        self.session, self.address, self.process = requests.Session(), address, process
        self.count = 0
        self.start = None

    def resident(self):
        with open(f"/proc/{self.process}/statm") as file:
            return int(file.read().split()[1]) * 4096 / 1e6

    def ask(self, method, path, wanted=(200, 201, 204), **more):
        self.count += 1
        answer = self.session.request(method, self.address + path, **more)
        if answer.status_code not in wanted:
            raise RuntimeError(f"{method} {path}: {answer.status_code} {answer.text[:300]}")
        return answer

    def events(self, job):
        self.count += 1
        with self.session.get(f"{self.address}/api/v1/jobs/{job}/events", stream=True) as stream:
            for line in stream.iter_lines(chunk_size=1):
                if line in (b"event: done", b"event: failed", b"event: cancelled"):
                    return

    def prompt(self, index):
        return " ".join(WORDS[(index * step) % len(WORDS)] for step in (1, 3, 5, 7)) + f" {index}"

    def easel(self, index):
        body = {"prompt": self.prompt(index), "steps": 2, "seed": index}
        if self.start:
            body |= {"init_image": self.start, "strength": 0.5}
            self.start = None
        job = self.ask("POST", "/api/v1/jobs", json=body).json()["id"]
        if index % 16 == 0:
            self.ask("POST", f"/api/v1/jobs/{job}/cancel", wanted=(200, 409))
        self.events(job)
        self.ask("GET", f"/api/v1/jobs/{job}")

    def webui(self, index):
        body = {"prompt": self.prompt(index), "steps": 2, "seed": index, "width": 128, "height": 128}
        answer = self.ask("POST", "/sdapi/v1/txt2img", json=body).json()
        picture = base64.b64decode(answer["images"][0])
        self.ask("GET", "/sdapi/v1/progress")
        if index % 8 == 1:
            self.start = self.ask(
                "POST", "/api/v1/uploads", data=picture, headers={"content-type": "image/png"}).json()["id"]

    def openai(self, index):
        body = {"prompt": self.prompt(index), "size": "auto", "response_format": "b64_json",
                "easel": {"steps": 2, "seed": index}}
        self.ask("POST", "/v1/images/generations", json=body)

    def look(self, index):
        page = self.ask("GET", "/api/v1/pictures").json()["pictures"]
        self.ask("GET", f"/api/v1/pictures?search={WORDS[index % len(WORDS)]}")
        self.ask("GET", "/api/v1/jobs")
        self.ask("GET", "/")
        if not page:
            return
        newest = page[0]
        self.ask("GET", newest["file"])
        self.ask("GET", newest["thumbnail"])
        if index % 4 == 0:
            self.ask("PATCH", f"/api/v1/pictures/{newest['id']}", json={"favourite": True, "tags": ["day"]})
        elif index % 2 == 1:
            self.ask("DELETE", f"/api/v1/pictures/{newest['id']}")
            self.ask("DELETE", f"/api/v1/pictures/{newest['id']}?forever=true")

    def watch(self, stopped):
        """The studio's stream, opened anew every few seconds as by pages that are closed."""
        session = requests.Session()
        while not stopped.is_set():
            until = time.time() + 5
            with session.get(f"{self.address}/api/v1/events", stream=True, timeout=60) as stream:
                for _ in stream.iter_lines():
                    if stopped.is_set() or time.time() > until:
                        break

    def run(self):
        stopped = threading.Event()
        threading.Thread(target=self.watch, args=(stopped,), daemon=True).start()
        start = time.time()
        for index in range(JOBS):
            if index == JOBS // 20:
                print(f"after {index} jobs, when all has been used once: {self.resident():.0f} MB", flush=True)
            elif index and index % (JOBS // 4) == 0:
                print(f"after {index} jobs: {self.resident():.0f} MB", flush=True)
            (self.easel, self.webui, self.openai)[index % 3](index)
            self.look(index)
        stopped.set()
        print(f"after {JOBS} jobs and {self.count} requests in {time.time() - start:.0f} s: "
              f"{self.resident():.0f} MB")


def main():
    if len(sys.argv) > 1:
        os.environ["EASEL"] = sys.argv[1]
    with serving.Server("--jobs-per-minute", "1000000") as server:
        day = Day(server.address, server.process.pid)
        print(f"ready: {day.resident():.0f} MB")
        day.run()


main()
