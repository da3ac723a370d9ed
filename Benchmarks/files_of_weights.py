"""Compares a model in several forms (folder, single file, ckpt, GGUF, …): seconds from the start to the first step, and the
process's own memory at its largest, without the files' pages, which the system can take back. The forms alternate.

    python Benchmarks/files_of_weights.py EASEL VOCABULARY ROUNDS MODEL…
"""

import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

STAGES = ["open_model", "load_text_encoder", "encode_prompt", "load_unet"]


def measure(easel, vocabulary, model):
    options = [] if Path(model).is_dir() else ["--vocabulary", vocabulary]
    process = subprocess.Popen(
        [easel, "-m", model, "a cat", "--steps", "1", "-s", "1", "--json", "-o", "files-of-weights.png", "--precision",
         "bf16", *options], stdout=subprocess.PIPE, text=True)
    own = 0
    while process.poll() is None:
        status = Path(f"/proc/{process.pid}/status")
        lines = status.read_text().splitlines() if status.exists() else []
        own = max([own] + [int(line.split()[1]) for line in lines if line.startswith("RssAnon")])
        time.sleep(0.02)
    timings = json.loads(process.stdout.read())["timings"]
    Path("files-of-weights.png").unlink()
    return sum(timings[stage] for stage in STAGES), own * 1024


def main():
    easel, vocabulary, rounds, *models = sys.argv[1:]
    figures = {model: [] for model in models}
    for _ in range(int(rounds)):
        for model in models:
            figures[model].append(measure(easel, vocabulary, model))
    for model, own in figures.items():
        first, memory = (statistics.median(column) for column in zip(*own))
        print(f"{model}: {first:.2f} s to the first step, {memory / 1e9:.2f} GB")


if __name__ == "__main__":
    main()
