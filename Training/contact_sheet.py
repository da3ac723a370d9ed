"""Draws prompts × seeds into one picture: python Training/contact_sheet.py Models/demo"""

import argparse
from pathlib import Path

import torch
from diffusers import StableDiffusionPipeline
from PIL import Image, ImageDraw, ImageFont

from scenes import SIDE

PROMPTS = (
    "a red apple on a blue background", "a cat face on a pink background",
    "a picture of a rocket on a black background", "an emoji of a fox on a green background",
    "a sunflower, purple background", "a sailboat on a teal background",
    "a small car on a yellow background", "two bananas on a white background",
    "a house on a background from blue to orange", "a photo of a dog", "a pizza on a table",
    "a penguin on the left on a red background",
)
LABEL = 300


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("--seeds", type=int, default=6)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--guidance", type=float, default=7.5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--output", type=Path)
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    pipeline = StableDiffusionPipeline.from_pretrained(asked.model)
    pipeline.set_progress_bar_config(disable=True)
    sheet = Image.new("RGB", (LABEL + asked.seeds * SIDE, len(PROMPTS) * SIDE), "white")
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(14)
    for row, prompt in enumerate(PROMPTS):
        pen.text((8, row * SIDE + SIDE // 2 - 8), prompt, "black", font)
        generators = [torch.Generator().manual_seed(seed) for seed in range(asked.seeds)]
        drawn = pipeline([prompt] * asked.seeds, num_inference_steps=asked.steps,
                         guidance_scale=asked.guidance, generator=generators).images
        for column, picture in enumerate(drawn):
            sheet.paste(picture, (LABEL + column * SIDE, row * SIDE))
    path = asked.output or asked.model / "contact-sheet.png"
    sheet.convert("P", palette=Image.Palette.ADAPTIVE, colors=256).save(path, optimize=True)


if __name__ == "__main__":
    main()
