"""Alternates whole runs of easel and of diffusers, OpenVINO GenAI or stable-diffusion.cpp, each a process of its own, and
prints medians and ratios.

    python text_to_image.py EASEL MODEL [--peer diffusers|genai|stable_diffusion_cpp] [--precision f32|bf16|int8]
        [--steps 20] [--rounds 3]

With the pictures of the last round it also says how far they are apart: PSNR in dB (45 is wanted at f32).
"""

import argparse
import json
import math
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy
from PIL import Image


def timed(command):
    start = time.perf_counter()
    line = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return time.perf_counter() - start, json.loads(line.splitlines()[-1])


def distance(first, second):
    pixels = [numpy.asarray(Image.open(file).convert("RGB"), dtype="float64") for file in (first, second)]
    error = ((pixels[0] - pixels[1]) ** 2).mean()
    return math.inf if error == 0 else 10 * math.log10(255**2 / error)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("easel")
    parser.add_argument("model")
    parser.add_argument("--peer", choices=["diffusers", "genai", "stable_diffusion_cpp"], default="diffusers")
    parser.add_argument("--precision", choices=["f32", "bf16", "int8"], default="f32")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp())
    ours, theirs = folder / "easel.png", folder / "diffusers.png"
    prompt = "a red apple on a table"
    same = ["--steps", str(asked.steps), "--seed", "42", "--prompt", prompt]
    # The peers compute no products of integers here: their fastest is bf16.
    theirs_precision = asked.precision.replace("int8", "bf16")
    size = str(asked.size)
    easel = [asked.easel, "generate", "--model", asked.model, "--json", "--width", size, "--height", size,
             "--output", str(ours), "--precision", asked.precision, *same]
    peer = [sys.executable, str(Path(__file__).with_name(f"text_to_image_{asked.peer}.py")), asked.model,
            "--size", size, "--output", str(theirs), "--precision", theirs_precision, *same]
    if asked.peer == "stable_diffusion_cpp":  # It has no PNDM, and wants one file, of which both are made.
        file = str(folder / "model.safetensors")
        subprocess.run([asked.easel, "convert", asked.model, file], check=True)
        easel += ["--sampler", "euler"]
        peer[2] = file
    if asked.peer == "genai":  # The conversion, which is kept.
        subprocess.run([*peer, "--steps", "1"], check=True, stdout=subprocess.DEVNULL)
    rows = []
    if asked.precision == "int8":  # The calibration, which is kept.
        subprocess.run(easel, check=True, stdout=subprocess.DEVNULL)
    for _ in range(asked.rounds):
        rows.append((timed(easel), timed(peer)))
    loads = ["open_model", "calibrate", "load_text_encoder", "encode_prompt", "load_unet"]
    figures = {
        "whole process, s": lambda a, b: (a[0], b[0]),
        "load to first step, s": lambda a, b: (
            sum(a[1]["timings"].get(stage, 0) for stage in loads), b[1]["load_to_first_step"]),
        # The U-Net's runs are counted by the peers themselves: PNDM has one more than steps.
        "denoising, s": lambda a, b: (a[1]["timings"]["denoise"], b[1]["denoising"]),
        "decoding, s": lambda a, b: (a[1]["timings"]["decode"], b[1]["decode"]),
        "peak memory, GB": lambda a, b: (a[1]["peak_memory_bytes"] / 1e9, b[1]["peak_memory_bytes"] / 1e9),
    }
    for name, pair in figures.items():
        pairs = [pair(*row) for row in rows]
        ours_median, theirs_median = (statistics.median(own) for own in zip(*pairs))
        print(f"{name}: easel {ours_median:.2f}, {asked.peer} {theirs_median:.2f}, "
              f"ratio {statistics.median(a / b for a, b in pairs):.3f}")
    print(f"pictures: PSNR {distance(ours, theirs):.1f} dB")


if __name__ == "__main__":
    main()
