"""Noto Color Emoji's own pictures, cut out of the font."""

from functools import cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from objects import objects

FONT = "/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf"
STRIKE = 109  # the font holds bitmaps of this one size


@cache
def sprite(emoji):
    """The emoji with transparency, premultiplied, cropped to what is drawn."""
    canvas = Image.new("RGBA", (180, 180))
    font = ImageFont.truetype(FONT, STRIKE)
    ImageDraw.Draw(canvas).text((20, 20), emoji, font=font, embedded_color=True)
    drawn = canvas.crop(canvas.getbbox())
    return drawn.convert("RGBa")


@cache
def scaled(emoji, size):
    """The emoji scaled so that its longer side is `size` pixels."""
    picture = sprite(emoji)
    factor = size / max(picture.size)
    shape = [max(1, round(side * factor)) for side in picture.size]
    return np.asarray(picture.resize(shape, Image.LANCZOS), np.float32)


def mean_colour(emoji):
    picture = np.asarray(sprite(emoji), np.float32)
    return picture[..., :3].sum((0, 1)) / picture[..., 3].sum() * 255


def all_sprites():
    return {thing.emoji: sprite(thing.emoji) for thing in objects()}
