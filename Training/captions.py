"""Captions in varied wording for a scene, as people might type them."""

import numpy as np

from objects import objects, plural, with_article
from palette import ALSO_SPELT

OPENINGS = ("a photo of ", "a picture of ", "an emoji of ", "a drawing of ", "an image of ",
            "an icon of ", "a painting of ", "an illustration of ", "a cartoon of ")
ON_PLAIN = (" on {a} background", " with {a} background", " against {a} background",
            " on {c}", ", {c} background", " in front of {a} wall")
ON_PLAIN_WEIGHTS = (0.55, 0.12, 0.08, 0.08, 0.10, 0.07)
ON_GRADED = (" on a background from {c} to {d}", " on a gradient from {c} to {d}",
             " on a {c} to {d} background", ", background {c} at the top and {d} at the bottom")
ELSEWHERE = (" on a table", " in a garden", " in the sky", " on the beach", " in the snow",
             " at night", " on the floor", " in a room")
PLACES = {"left": (" on the left", " on the left side", " at the left"),
          "right": (" on the right", " on the right side", " at the right"),
          "top": (" at the top", " in the upper part"),
          "bottom": (" at the bottom", " in the lower part")}
SIZES = {"small": ("small", "tiny", "little"), "large": ("large", "big", "huge")}
NUMBERS = {"two": ("two ", "two ", "a pair of "), "three": ("three ",)}
NAMES_BACKGROUND = 0.85


def one_of(rng, choices, weights=None):
    return choices[int(rng.choice(len(choices), p=weights))]


def subject(scene, rng):
    thing = objects()[scene.thing]
    name = thing.name if rng.random() < 0.55 else thing.everyday
    if scene.layout in NUMBERS:
        return one_of(rng, NUMBERS[scene.layout]) + plural(name)
    if scene.layout in SIZES:
        return "a " + one_of(rng, SIZES[scene.layout]) + " " + name
    return name if rng.random() < 0.12 else with_article(name)


def spelling(colour, rng):
    return ALSO_SPELT[colour] if colour in ALSO_SPELT and rng.random() < 0.2 else colour


def setting(scene, rng):
    if rng.random() > NAMES_BACKGROUND:
        return one_of(rng, ELSEWHERE) if rng.random() < 0.5 else ""
    first, last = spelling(scene.colours[0], rng), spelling(scene.colours[-1], rng)
    if len(scene.colours) == 2:
        return one_of(rng, ON_GRADED).format(c=first, d=last)
    wording = one_of(rng, ON_PLAIN, ON_PLAIN_WEIGHTS)
    return wording.format(a=with_article(first), c=first)


def caption(scene, rng):
    opening = one_of(rng, OPENINGS) if rng.random() < 0.5 else ""
    place = one_of(rng, PLACES[scene.layout]) if scene.layout in PLACES else ""
    return opening + subject(scene, rng) + place + setting(scene, rng)


def plain_caption(thing, colour):
    """The wording that the measurement uses."""
    return f"{with_article(objects()[thing].name)} on {with_article(colour)} background"


def sample_captions(count, seed=0):
    from scenes import scene
    return [caption(scene(seed, i), np.random.default_rng((seed, i, 7))) for i in range(count)]
