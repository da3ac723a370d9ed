"""Pictures to train on: scene i is a pure function of the seed and i."""

from dataclasses import dataclass
from functools import cache

import numpy as np

from objects import objects
from palette import COLOURS, NAMES, lab
from sprites import mean_colour, scaled

SIDE = 128
USUAL_SIZE = 92
HELD_OUT_PAIRS = 50
SPLIT_SEED = 20240229
LAYOUTS = {"usual": 0.76, "small": 0.05, "large": 0.05, "left": 0.015, "right": 0.015,
           "top": 0.015, "bottom": 0.015, "two": 0.05, "three": 0.03}
# A pair can only be measured when the object can be told from the background.
LEAST_CONTRAST = 35


@dataclass(frozen=True)
class Scene:
    thing: int
    colours: tuple  # one name, or two from top to bottom
    layout: str
    size: int
    shift: tuple
    tint: tuple


@cache
def held_out():
    """(object, colour) pairs that no training picture shows together."""
    rng = np.random.default_rng(SPLIT_SEED)
    pairs = []
    for place, thing in enumerate(rng.permutation(len(objects()))[:HELD_OUT_PAIRS]):
        own = lab(mean_colour(objects()[thing].emoji))
        for step in range(len(NAMES)):
            colour = NAMES[(place + step) % len(NAMES)]
            if np.linalg.norm(own - lab(COLOURS[colour])) >= LEAST_CONTRAST:
                pairs.append((int(thing), colour))
                break
    return tuple(pairs)


def scene(seed, index):
    rng = np.random.default_rng((seed, index))
    forbidden = set(held_out())
    while True:
        thing = int(rng.integers(len(objects())))
        count = 2 if rng.random() < 0.08 else 1
        colours = tuple(str(name) for name in rng.choice(NAMES, count, replace=False))
        if not any((thing, colour) in forbidden for colour in colours):
            break
    layout = str(rng.choice(list(LAYOUTS), p=list(LAYOUTS.values())))
    size = {"usual": USUAL_SIZE, "small": 48, "large": 116, "two": 56, "three": 39}.get(layout, 58)
    size += int(rng.integers(-3, 4)) if layout == "usual" else 0
    shift = tuple(int(value) for value in rng.integers(-2, 3, 2))
    tint = tuple(int(value) for value in rng.integers(-4, 5, 3))
    return Scene(thing, colours, layout, size, shift, tint)


def centres(layout):
    middle, near, far = SIDE / 2, SIDE * 0.27, SIDE * 0.73
    return {"left": [(near, middle)], "right": [(far, middle)],
            "top": [(middle, near)], "bottom": [(middle, far)],
            "two": [(SIDE * 0.26, middle), (SIDE * 0.74, middle)],
            "three": [(SIDE * 0.18, middle), (middle, middle), (SIDE * 0.82, middle)],
            }.get(layout, [(middle, middle)])


def background(colours, tint=(0, 0, 0)):
    first, last = (np.add(COLOURS[name], tint) for name in (colours[0], colours[-1]))
    mix = np.linspace(0, 1, SIDE)[:, None, None]
    rows = np.clip(first * (1 - mix) + last * mix, 0, 255)
    return np.broadcast_to(rows, (SIDE, SIDE, 3)).astype(np.float32)


def paste(canvas, picture, centre):
    """Draws a premultiplied picture over the canvas, clipped at its edges."""
    height, width = picture.shape[:2]
    left, top = round(centre[0] - width / 2), round(centre[1] - height / 2)
    x, y = max(left, 0), max(top, 0)
    right, bottom = min(left + width, SIDE), min(top + height, SIDE)
    part = picture[y - top:bottom - top, x - left:right - left]
    under = canvas[y:bottom, x:right]
    canvas[y:bottom, x:right] = under * (1 - part[..., 3:] / 255) + part[..., :3]


def draw(made):
    """The scene's picture, SIDE × SIDE × 3, bytes."""
    canvas = background(made.colours, made.tint).copy()
    picture = scaled(objects()[made.thing].emoji, made.size)
    for x, y in centres(made.layout):
        paste(canvas, picture, (x + made.shift[0], y + made.shift[1]))
    return np.clip(np.rint(canvas), 0, 255).astype(np.uint8)


def plain_scene(thing, colour, size=USUAL_SIZE):
    return Scene(thing, (colour,), "usual", size, (0, 0), (0, 0, 0))
