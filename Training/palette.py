"""The named background colours, and how far apart two colours look."""

import numpy as np

COLOURS = {
    "white": (250, 250, 250), "black": (18, 18, 18), "grey": (128, 128, 128),
    "red": (205, 35, 35), "orange": (245, 135, 25), "yellow": (250, 220, 60),
    "green": (45, 150, 60), "teal": (30, 170, 170), "blue": (40, 80, 205),
    "purple": (125, 50, 170), "pink": (248, 165, 200), "brown": (115, 70, 35),
}
NAMES = tuple(COLOURS)
ALSO_SPELT = {"grey": "gray", "teal": "turquoise", "purple": "violet"}


def lab(rgb):
    """CIE L*a*b* (D65) of sRGB values 0…255 in the last axis."""
    rgb = np.asarray(rgb, np.float32) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    to_xyz = np.array([[0.4124564, 0.3575761, 0.1804375],
                       [0.2126729, 0.7151522, 0.0721750],
                       [0.0193339, 0.1191920, 0.9503041]], np.float32)
    xyz = linear @ to_xyz.T / np.array([0.95047, 1.0, 1.08883], np.float32)
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.stack([116 * f[..., 1] - 16,
                     500 * (f[..., 0] - f[..., 1]),
                     200 * (f[..., 1] - f[..., 2])], -1)


def nearest_name(rgb):
    distances = np.linalg.norm(lab([COLOURS[name] for name in NAMES]) - lab(rgb), axis=-1)
    return NAMES[int(distances.argmin())]
