"""Measures the model on the (object, background) pairs that training never saw together.

    python Training/measure.py Models/demo             the model
    python Training/measure.py Models/demo --check     the measure itself, on true pictures

Background: the median of the picture's border is nearest to the named colour, among all.
Object: over that background, the picture is nearest to the pair's own emoji, among all
emojis at several sizes and positions, by the mean distance in Lab at 32 × 32.
"""

import argparse
import json
from functools import cache

import numpy as np
import torch
from diffusers import AutoencoderKL, StableDiffusionPipeline
from PIL import Image

from autoencoder import to_tensor
from captions import plain_caption
from objects import objects
from palette import lab, nearest_name
from scenes import SIDE, draw, held_out, paste, plain_scene
from sprites import scaled

BORDER = 8
GRID = 32
SIZES = (84, 92, 100)
SHIFTS = (-4, 0, 4)


def border_colour(picture):
    inner = np.zeros((SIDE, SIDE), bool)
    inner[BORDER:-BORDER, BORDER:-BORDER] = True
    return np.median(picture[~inner], axis=0)


def shrunk(values):
    block = SIDE // GRID
    return values.reshape(GRID, block, GRID, block, -1).mean((1, 3))


@cache
def templates():
    """Every emoji at every size and position: premultiplied colour and coverage."""
    made = np.empty((len(objects()), len(SIZES) * len(SHIFTS) ** 2, GRID, GRID, 4), np.float32)
    for row, thing in enumerate(objects()):
        places = ((size, x, y) for size in SIZES for x in SHIFTS for y in SHIFTS)
        for column, (size, x, y) in enumerate(places):
            picture, canvas = scaled(thing.emoji, size), np.zeros((SIDE, SIDE, 3), np.float32)
            covered = np.ones((SIDE, SIDE, 3), np.float32)
            centre = (SIDE / 2 + x, SIDE / 2 + y)
            paste(canvas, picture, centre)
            paste(covered, np.concatenate([picture[..., :3] * 0, picture[..., 3:]], -1), centre)
            made[row, column, ..., :3] = shrunk(canvas)
            made[row, column, ..., 3:] = 1 - shrunk(covered)[..., :1]
    return made


def nearest_object(picture):
    """The index of the emoji that explains the picture best."""
    behind = border_colour(picture).astype(np.float32)
    seen = lab(shrunk(picture.astype(np.float32)))
    best = []
    for places in templates():
        shown = places[..., :3] + (1 - places[..., 3:]) * behind
        best.append(np.linalg.norm(lab(shown) - seen, axis=-1).mean((1, 2)).min())
    return int(np.argmin(best))


def pictures_from(pipeline, seed, steps, guidance):
    for thing, colour in held_out():
        generator = torch.Generator().manual_seed(seed * 1000 + thing)
        yield np.asarray(pipeline(plain_caption(thing, colour), num_inference_steps=steps,
                                  guidance_scale=guidance, generator=generator).images[0])


def true_pictures():
    return [draw(plain_scene(thing, colour)) for thing, colour in held_out()]


@torch.no_grad()
def decoded_pictures(autoencoder):
    for picture in true_pictures():
        latent = autoencoder.encode(to_tensor([picture])).latent_dist.mean
        decoded = autoencoder.decode(latent).sample[0].permute(1, 2, 0).numpy()
        yield np.clip(np.rint((decoded + 1) * 127.5), 0, 255).astype(np.uint8)


def judge(pictures, kept=None):
    """How many backgrounds and objects are right, and which are not."""
    grounds, things, missed = 0, 0, []
    for number, ((thing, colour), picture) in enumerate(zip(held_out(), pictures)):
        named, found = nearest_name(border_colour(picture)), nearest_object(picture)
        grounds += named == colour
        things += found == thing
        if named != colour or found != thing:
            missed.append(f"{plain_caption(thing, colour)}: {objects()[found].name} on {named}")
        if kept:
            Image.fromarray(picture).save(f"{kept}/{number:02}.png")
    count = len(held_out())
    return {"background": grounds / count, "object": things / count, "missed": missed}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("--check", action="store_true", help="judge true pictures instead")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--guidance", type=float, default=7.5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--keep", help="folder for the pictures of the last seed")
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    if asked.check:
        print("drawn", json.dumps(judge(true_pictures()), indent=1))
        coder = AutoencoderKL.from_pretrained(asked.model, subfolder="vae")
        print("decoded", json.dumps(judge(decoded_pictures(coder)), indent=1))
        return
    pipeline = StableDiffusionPipeline.from_pretrained(asked.model)
    pipeline.set_progress_bar_config(disable=True)
    results = [judge(pictures_from(pipeline, seed, asked.steps, asked.guidance), asked.keep)
               for seed in range(asked.seeds)]
    print(json.dumps(results, indent=1))
    for part in ("background", "object"):
        print(f"{part}: {np.mean([result[part] for result in results]):.1%}")


if __name__ == "__main__":
    main()
