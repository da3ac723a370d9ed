"""Writes Tests/ImagingTests/Fixtures/pictures/: a picture in many formats, with what Pillow reads and makes of them.

    python Tests/Golden/pictures.py
"""

import json
import struct
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

FOLDER = Path(__file__).parent.parent / "ImagingTests" / "Fixtures" / "pictures"


def picture(width=24, height=16):
    y, x = np.mgrid[0:height, 0:width]
    values = np.stack([x * 10, y * 15, 255 - x * 4 - y * 6], axis=-1).astype(np.uint8)
    values[2:6, 3:9] = [250, 20, 30]
    return Image.fromarray(values)


def exif(orientation):
    values = Image.Exif()
    values[0x0112] = orientation
    return values.tobytes()


FOLDER.mkdir(parents=True, exist_ok=True)
base = picture()
base.save(FOLDER / "rgb.jpg", quality=95, subsampling=0)
base.save(FOLDER / "progressive.jpg", quality=90, progressive=True)
base.convert("L").save(FOLDER / "grey.jpg", quality=95)
base.convert("CMYK").save(FOLDER / "cmyk.jpg", quality=95)
for orientation in range(1, 10):
    base.save(FOLDER / f"turned-{orientation}.jpg", quality=95, subsampling=0, exif=exif(orientation))
base.save(FOLDER / "turned-6.png", exif=exif(6))
base.save(FOLDER / "turned-6.webp", lossless=True, exif=exif(6))
base.save(FOLDER / "lossless.webp", lossless=True)
base.save(FOLDER / "lossy.webp", quality=90)
clear = base.copy()
clear.putalpha(Image.fromarray((np.mgrid[0:16, 0:24][1] * 11).astype(np.uint8)))
clear.save(FOLDER / "transparent.webp", lossless=True, exact=True)
base.save(FOLDER / "moving.webp", lossless=True, save_all=True, append_images=[ImageOps.invert(base)], duration=100)

# A JPEG file with a precision of 12 bits, which libjpeg is not built for.
wide = bytearray((FOLDER / "rgb.jpg").read_bytes())
place = wide.index(b"\xff\xc0")
wide[place + 4] = 12
(FOLDER / "12-bit.jpg").write_bytes(wide)
# A header that says 65,535 × 65,535 pixels.
vast = bytearray((FOLDER / "rgb.jpg").read_bytes())
vast[place + 5 : place + 9] = struct.pack(">HH", 65535, 65535)
(FOLDER / "vast.jpg").write_bytes(vast)

# Settings in the user's comment, as AUTOMATIC1111's library writes it (big-endian) and as others do.
TEXT = "a café, 日本 🙂\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1, Size: 24x16"


def comment(order, code):
    """Exif data with the comment: a first directory that leads to the one that has it."""
    mark, pack = (b"MM\0*", ">") if order == "utf-16-be" else (b"II*\0", "<")
    value = b"UNICODE\0" + TEXT.encode(code) if code else b"ASCII\0\0\0" + TEXT.encode("ascii", "replace")
    first = struct.pack(pack + "IHHHIII", 8, 1, 0x8769, 4, 1, 26, 0)
    inner = struct.pack(pack + "HHHIII", 1, 0x9286, 7, len(value), 44, 0)
    return b"Exif\0\0" + mark + first + inner + value


NOTES = FOLDER.parent / "notes"
NOTES.mkdir(exist_ok=True)
for name, exif in {
    "a1111": comment("utf-16-be", "utf-16-be"), "little": comment("utf-16-le", "utf-16-le"),
    "mixed": comment("utf-16-le", "utf-16-be"), "ascii": comment("utf-16-be", None),
}.items():
    base.save(NOTES / f"{name}.jpg", exif=exif)
    base.save(NOTES / f"{name}.webp", exif=exif)
    assert Image.open(NOTES / f"{name}.jpg").getexif().get_ifd(0x8769)[0x9286][8:]

pixels = {}
for file in sorted(FOLDER.iterdir()):
    if file.name in ["12-bit.jpg", "vast.jpg", "pixels.json"]:
        continue
    read = ImageOps.exif_transpose(Image.open(file))
    if read.mode == "RGBA":
        white = Image.new("RGBA", read.size, "white")
        read = Image.alpha_composite(white, read)
    read = read.convert("RGB")
    pixels[file.name] = {"width": read.width, "height": read.height, "pixels": np.asarray(read).flatten().tolist()}
resized = {}
for width, height in [(24, 40), (7, 5), (48, 32), (100, 40), (1, 1), (23, 16)]:
    made = base.resize((width, height), Image.Resampling.LANCZOS)
    resized[f"{width}x{height}"] = np.asarray(made).flatten().tolist()
luma = np.asarray(base.convert("L")).flatten().tolist()
(FOLDER / "pixels.json").write_text(json.dumps(
    {"base": np.asarray(base).flatten().tolist(), "read": pixels, "resized": resized, "luma": luma},
    separators=(",", ":")) + "\n")
