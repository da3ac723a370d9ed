"""One picture by stable-diffusion.cpp, timed from the start of its process: writes JSON, as text_to_image_diffusers.py does.

    python text_to_image_stable_diffusion_cpp.py FILE.safetensors [--program sd-cli] [--steps 20] [--seed 42] [--output FILE]

The model is a single file, which `easel convert` writes; the program is stable-diffusion.cpp's `sd-cli`, built with
`-DGGML_NATIVE=ON`. It computes with the file's f16: --precision changes nothing.
"""

import argparse
import json
import os
import re
import resource
import subprocess
import time
from pathlib import Path


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("--program", default=os.environ.get("SD_CLI", "sd-cli"))
    parser.add_argument("--precision", default="f16")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--sampler", default="euler")
    parser.add_argument("--prompt", default="a red apple on a table")
    parser.add_argument("--output", type=Path, default=Path(os.devnull))
    asked = parser.parse_args()
    start = time.perf_counter()
    run = subprocess.run(
        [asked.program, "-m", asked.model, "-p", asked.prompt, "--steps", str(asked.steps), "-s", str(asked.seed),
         "-W", str(asked.size), "-H", str(asked.size), "--cfg-scale", "7.5", "--sampling-method", asked.sampler,
         "-t", str(os.cpu_count()), "-o", asked.output, "-v"],
        check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    seconds = time.perf_counter() - start

    def taken(stage):
        return float(re.search(stage + r" completed, taking ([0-9.]+)s", run.stdout)[1])

    sampling, decoding = taken("sampling"), taken("decode_first_stage")
    print(json.dumps({
        "seconds": seconds, "load_to_first_step": seconds - sampling - decoding, "denoising": sampling,
        "step": sampling / asked.steps, "decode": decoding,
        "peak_memory_bytes": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024}))


if __name__ == "__main__":
    main()
