"""How far pictures in other precisions are from those at f32: PSNR in dB and SSIM, the mean and the worst of several
prompts, with the demo model or another.

    python precision.py EASEL [--model MODEL] [--precisions bf16 int8] [--steps 20]
"""

import argparse
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
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("easel")
    parser.add_argument("--model")
    parser.add_argument("--precisions", nargs="+", default=["bf16", "int8"])
    parser.add_argument("--steps", type=int, default=20)
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp())
    model = ["--model", asked.model] if asked.model else []

    def picture(prompt, index, precision):
        file = folder / f"{index}-{precision}.png"
        subprocess.run(
            [asked.easel, prompt, "-s", str(index), "--steps", str(asked.steps), "--precision", precision, "-q", "-o",
             str(file), *model], check=True, stdout=subprocess.DEVNULL)
        return file

    exact = [picture(prompt, index, "f32") for index, prompt in enumerate(PROMPTS)]
    for precision in asked.precisions:
        files = [picture(prompt, index, precision) for index, prompt in enumerate(PROMPTS)]
        decibels = [distance(*pair) for pair in zip(exact, files)]
        likeness = [similarity(*pair) for pair in zip(exact, files)]
        print(f"{precision}: PSNR mean {numpy.mean(decibels):.1f} dB, least {min(decibels):.1f} dB; "
              f"SSIM mean {numpy.mean(likeness):.4f}, least {min(likeness):.4f}")


if __name__ == "__main__":
    main()
