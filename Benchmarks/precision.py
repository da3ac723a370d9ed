"""How far pictures in other precisions, or with other options, are from those at f32 without: PSNR in dB and SSIM, the mean
and the least of several prompts, with the demo model or another; and in how much of f32's time their steps were made.

    python precision.py EASEL [--model MODEL] [--precisions bf16 int8] [--steps 20] [--prompts 8]
    python precision.py EASEL --steps 25 --precisions --options="--cache deep" --options="--fast"
"""

import argparse
import json
import shlex
import subprocess
import tempfile
from pathlib import Path

import numpy
from PIL import Image
from scipy.ndimage import gaussian_filter

from text_to_image import distance

PROMPTS = [
    "a red apple on a yellow background", "a panda on a blue background", "a top hat on a green background",
    "a lemon on a red background", "a fish on a white background", "a rose on a black background",
    "a cat on a pink background", "a key on a grey background",
]


def similarity(first, second):
    """Wang et al. 2004: the structural similarity of luminance, with a Gaussian window of 1.5 pixels."""
    x, y = (numpy.asarray(Image.open(file).convert("L"), dtype="float64") for file in (first, second))
    def mean(values):
        return gaussian_filter(values, 1.5)
    mx, my = mean(x), mean(y)
    vx, vy, cov = mean(x * x) - mx * mx, mean(y * y) - my * my, mean(x * y) - mx * my
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    return (((2 * mx * my + c1) * (2 * cov + c2)) / ((mx * mx + my * my + c1) * (vx + vy + c2))).mean()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("easel")
    parser.add_argument("--model")
    parser.add_argument("--precisions", nargs="*", default=["bf16", "int8"])
    parser.add_argument("--options", action="append", default=[], help="at f32, unless they say otherwise")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--prompts", type=int, default=len(PROMPTS), help="how many of the eight")
    parser.add_argument("--keep", type=Path, help="a folder for the pictures")
    asked = parser.parse_args()
    folder = asked.keep or Path(tempfile.mkdtemp())
    folder.mkdir(parents=True, exist_ok=True)
    model = ["--model", asked.model] if asked.model else []

    def pictures(name, options):
        files = []
        seconds = 0
        for index, prompt in enumerate(PROMPTS[:asked.prompts]):
            file = folder / f"{name.replace('/', '_')} {index}.png"
            told = subprocess.run(
                [asked.easel, prompt, "-s", str(index), *options, "--json", "-o", str(file), *model], check=True,
                stdout=subprocess.PIPE, text=True).stdout
            seconds += json.loads(told)["timings"]["denoise"]
            files.append(file)
        return files, seconds

    exact, exact_seconds = pictures("f32", ["--steps", str(asked.steps), "--precision", "f32"])
    modes = [(precision, ["--steps", str(asked.steps), "--precision", precision]) for precision in asked.precisions]
    for options in asked.options:
        # What the preset sets is not set here, as that would count.
        own = shlex.split(options)
        given = [] if "--fast" in own or "--steps" in own else ["--steps", str(asked.steps)]
        modes.append((options, [*given, *([] if "--precision" in own else ["--precision", "f32"]), *own]))
    for name, options in modes:
        files, seconds = pictures(name, options)
        decibels = [distance(*pair) for pair in zip(exact, files)]
        likeness = [similarity(*pair) for pair in zip(exact, files)]
        print(f"{name}: PSNR mean {numpy.mean(decibels):.1f} dB, least {min(decibels):.1f} dB; "
              f"SSIM mean {numpy.mean(likeness):.4f}, least {min(likeness):.4f}; "
              f"steps in {seconds / exact_seconds:.2f} of the time", flush=True)


if __name__ == "__main__":
    main()
