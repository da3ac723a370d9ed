"""Compares pictures made of a picture at full size with diffusers': image-to-image, inpainting with an ordinary U-Net and
with one for inpainting. Prints PSNR in dB (45 is wanted) and seconds.

    python image_to_image.py EASEL MODEL [--steps 5] [--size 512]

MODEL is what `random_model.py sd15` makes. The model for inpainting is the same with a wider first convolution, in a folder of
its own beside it.
"""

import argparse
import json
import subprocess
import tempfile
import time
from pathlib import Path

import numpy
import torch
from diffusers import StableDiffusionImg2ImgPipeline, StableDiffusionInpaintPipeline, StableDiffusionPipeline
from PIL import Image
from safetensors.torch import load_file, save_file

from text_to_image import distance

PROMPT = "a red apple on a table"


def for_inpainting(model):
    wide = model.with_name(model.name + "-inpainting")
    if (wide / "unet" / "config.json").exists():
        return wide
    (wide / "unet").mkdir(parents=True)
    for part in model.iterdir():
        if part.name != "unet":
            (wide / part.name).symlink_to(part.resolve())
    name = "diffusion_pytorch_model.safetensors"
    weights = load_file(model / "unet" / name)
    generator = torch.Generator().manual_seed(5)
    first = weights["conv_in.weight"]
    more = first.std() * torch.randn((first.shape[0], 5, 3, 3), generator=generator)
    weights["conv_in.weight"] = torch.cat([first, more], dim=1)
    save_file(weights, wide / "unet" / name)
    config = json.loads((model / "unet" / "config.json").read_text()) | {"in_channels": 9}
    (wide / "unet" / "config.json").write_text(json.dumps(config))
    return wide


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("easel")
    parser.add_argument("model", type=Path)
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--size", type=int, default=512)
    asked = parser.parse_args()
    folder, size = Path(tempfile.mkdtemp()), asked.size
    y, x = numpy.mgrid[0:size, 0:size]
    inside = (x - size / 2) ** 2 + (y - size / 2) ** 2 < (size / 4) ** 2
    values = numpy.stack([255 * inside, 255 * x / size, 255 * y / size], axis=-1).astype("uint8")
    picture, mask = folder / "picture.png", folder / "mask.png"
    Image.fromarray(values).save(picture)
    Image.fromarray((255 * inside).astype("uint8")).save(mask)
    torch.set_grad_enabled(False)
    for kind in ["image-to-image", "inpainting, ordinary U-Net", "inpainting, its own U-Net"]:
        model = for_inpainting(asked.model) if kind.endswith("its own U-Net") else asked.model
        ours, theirs = folder / "easel.png", folder / "diffusers.png"
        masked = [] if kind == "image-to-image" else ["--mask", str(mask), "--no-composite"]
        start = time.perf_counter()
        subprocess.run(
            [asked.easel, "generate", PROMPT, "--model", str(model), "--init-image", str(picture), "--strength", "0.6",
             "--steps", str(asked.steps), "--seed", "42", "--precision", "f32", "--quiet", "--output", str(ours), *masked],
            check=True, stdout=subprocess.DEVNULL)
        seconds = [time.perf_counter() - start]
        start = time.perf_counter()
        parts = StableDiffusionPipeline.from_pretrained(model, torch_dtype=torch.float32).components
        pipeline_class = StableDiffusionInpaintPipeline if masked else StableDiffusionImg2ImgPipeline
        pipeline = pipeline_class(
            **{name: part for name, part in parts.items() if name != "image_encoder"}, requires_safety_checker=False)
        masks = {"mask_image": Image.open(mask), "width": size, "height": size} if masked else {}
        pipeline(
            PROMPT, image=Image.open(picture), strength=0.6, num_inference_steps=asked.steps,
            generator=torch.Generator("cpu").manual_seed(42), **masks).images[0].save(theirs)
        seconds.append(time.perf_counter() - start)
        del pipeline, parts
        print(f"{kind}: PSNR {distance(ours, theirs):.1f} dB, easel {seconds[0]:.1f} s, diffusers {seconds[1]:.1f} s",
              flush=True)


if __name__ == "__main__":
    main()
