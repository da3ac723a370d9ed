"""Writes what diffusers' image-to-image and inpainting pipelines give for tiny-sd1, in f32, as latents and pictures:
Tests/Golden/pipelines/image-to-image.safetensors, with the pictures they start from, and the settings in .json.

    python Tests/Golden/image_to_image.py
"""

import json

import numpy as np
import torch
from diffusers import (
    DDIMScheduler, DPMSolverMultistepScheduler, EulerAncestralDiscreteScheduler, EulerDiscreteScheduler, PNDMScheduler,
    StableDiffusionImg2ImgPipeline, StableDiffusionInpaintPipeline, UNet2DConditionModel,
)
from PIL import Image

from networks import HERE, load, save

SAMPLERS = {
    "pndm": PNDMScheduler, "ddim": DDIMScheduler, "euler": EulerDiscreteScheduler,
    "euler-ancestral": EulerAncestralDiscreteScheduler, "dpmpp-2m": DPMSolverMultistepScheduler,
}
PROMPT, NEGATIVE = "a red apple on a table", "low quality, blurry"


def case(kind, sampler, strength, **changes):
    return {"kind": kind, "sampler": sampler, "strength": strength, "steps": 20, "seed": 42, "guidanceScale": 7.5} | changes


CASES = (
    [case("img2img", sampler, strength) for sampler in SAMPLERS for strength in [0.33, 0.75]]
    + [case("img2img", "pndm", 1.0), case("img2img", "euler", 0.1, steps=10), case("img2img", "ddim", 0.5, guidanceScale=1.0)]
    + [case("inpaint", sampler, strength) for sampler in SAMPLERS for strength in [0.6, 1.0]]
    + [case("inpaint9", sampler, strength) for sampler in ["pndm", "euler", "dpmpp-2m"] for strength in [0.6, 1.0]]
)


def pictures():
    y, x = np.mgrid[0:64, 0:64]
    red = 255 * ((x - 30) ** 2 + (y - 34) ** 2 < 400)
    picture = np.stack([np.maximum(red, x * 2), y * 3, 255 - x * 3], axis=-1).astype(np.uint8)
    mask = np.where((x > 20) & (y < 41), 255, 0).astype(np.uint8)
    return picture, mask


def for_inpainting(unet):
    """The same U-Net, that sees five channels more."""
    wide = UNet2DConditionModel.from_config(unet.config | {"in_channels": 9})
    weights = unet.state_dict()
    generator = torch.Generator().manual_seed(5)
    more = 0.2 * torch.randn((weights["conv_in.weight"].shape[0], 5, 3, 3), generator=generator)
    weights["conv_in.weight"] = torch.cat([weights["conv_in.weight"], more], dim=1)
    wide.load_state_dict(weights)
    return wide.eval()


if __name__ == "__main__":
    base = load("tiny-sd1")
    configuration = base.scheduler.config
    picture, mask = pictures()
    parts = {name: part for name, part in base.components.items() if name != "image_encoder"}
    wide = for_inpainting(base.unet)
    pipelines = {
        "img2img": StableDiffusionImg2ImgPipeline(**parts, requires_safety_checker=False),
        "inpaint": StableDiffusionInpaintPipeline(**parts, requires_safety_checker=False),
        "inpaint9": StableDiffusionInpaintPipeline(**(parts | {"unet": wide}), requires_safety_checker=False),
    }
    tensors = {
        "picture": torch.from_numpy(picture), "mask": torch.from_numpy(mask), "conv_in.weight": wide.state_dict()["conv_in.weight"],
    }
    for index, settings in enumerate(CASES):
        pipeline = pipelines[settings["kind"]]
        pipeline.set_progress_bar_config(disable=True)
        pipeline.scheduler = SAMPLERS[settings["sampler"]].from_config(configuration)
        masks = {} if settings["kind"] == "img2img" else {"mask_image": Image.fromarray(mask), "width": 64, "height": 64}
        latents = pipeline(
            PROMPT, image=Image.fromarray(picture), negative_prompt=NEGATIVE, strength=settings["strength"],
            num_inference_steps=settings["steps"], guidance_scale=settings["guidanceScale"],
            generator=torch.Generator("cpu").manual_seed(settings["seed"]), output_type="latent", **masks).images
        tensors[f"{index}.latents"] = latents
    save(HERE / "pipelines" / "image-to-image.safetensors", tensors)
    text = json.dumps({"prompt": PROMPT, "negativePrompt": NEGATIVE, "cases": CASES}, indent=1)
    (HERE / "pipelines" / "image-to-image.json").write_text(text + "\n")
