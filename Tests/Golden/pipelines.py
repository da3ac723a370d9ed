"""Writes what diffusers' StableDiffusionPipeline gives for the tiny models, in f32: the final latents and some
decoded pictures, Tests/Golden/pipelines/<model>.safetensors, and the settings of each, <model>.json.

    python Tests/Golden/pipelines.py
"""

import json

import numpy as np
import torch
from diffusers import DDIMScheduler, EulerDiscreteScheduler, PNDMScheduler, StableDiffusionPAGPipeline
from diffusers.models.attention_processor import AttnProcessor2_0
from diffusers.models.unets import unet_2d_blocks
from diffusers.utils import torch_utils

from networks import HERE, load, save

SAMPLERS = {"pndm": PNDMScheduler, "ddim": DDIMScheduler, "euler": EulerDiscreteScheduler}


def request(**changes):
    return {
        "prompt": "a red apple on a table", "negativePrompt": "low quality, blurry", "width": 64, "height": 64,
        "steps": 20, "guidanceScale": 7.5, "seeds": [42], "sampler": "pndm", "picture": False, "guidanceRescale": 0.0,
        "pagScale": 0.0, "freeU": None,
    } | changes


# Seeds are one for each picture of the batch.
REQUESTS = {
    f"{sampler}-{seed}": request(sampler=sampler, seeds=[seed], picture=seed == 42)
    for sampler in SAMPLERS for seed in [42, 7]
} | {
    f"{sampler}-3-steps": request(sampler=sampler, steps=3) for sampler in SAMPLERS
} | {
    "no-guidance": request(guidanceScale=1.0),
    "no-negative-prompt": request(negativePrompt=""),
    "wide": request(width=128, picture=True),
    "tall-odd": request(width=64, height=72, sampler="ddim"),
    "rescale": request(guidanceRescale=0.7, sampler="ddim"),
    "rescale-whole": request(guidanceRescale=1.0, guidanceScale=12.0),
    "pag": request(pagScale=3.0, sampler="ddim"),
    "pag-no-guidance": request(pagScale=2.5, guidanceScale=1.0, sampler="euler"),
    "pag-rescale": request(pagScale=3.0, guidanceRescale=0.7, sampler="ddim", width=72),
    "freeu-v1": request(freeU=["v1", 1.5, 1.6, 0.9, 0.2], sampler="ddim"),
    "freeu-v1-odd": request(freeU=["v1", 1.2, 0.7, 1.3, 0.4], sampler="ddim", width=72, height=88),
    "freeu-v2": request(freeU=["v2", 1.5, 1.6, 0.9, 0.2], sampler="ddim", width=72),
    "batch": request(seeds=[42, 7], sampler="euler", picture=True),
}


def freeu_v2(index, hidden, skip, **scales):
    """The second edition's backbone, as its authors publish it, at the levels where diffusers has the first."""
    if index < 2:
        half = hidden.shape[1] // 2
        b, s = scales[f"b{index + 1}"], scales[f"s{index + 1}"]
        mean = hidden.mean(1, keepdim=True)
        most, least = mean.amax((2, 3), keepdim=True), mean.amin((2, 3), keepdim=True)
        mean = (mean - least) / (most - least)
        hidden = torch.cat([hidden[:, :half] * ((b - 1) * mean + 1), hidden[:, half:]], dim=1)
        skip = torch_utils.fourier_filter(skip, threshold=1, scale=s)
    return hidden, skip


def run(pipeline, settings):
    count = len(settings["seeds"])
    options = {}
    if settings["pagScale"]:
        # This pipeline's check of old configurations cannot read a list; sizes are given.
        pipeline.unet.register_to_config(sample_size=64)
        pipeline = StableDiffusionPAGPipeline(**pipeline.components, pag_applied_layers="mid", requires_safety_checker=False)
        options["pag_scale"] = settings["pagScale"]
    if settings["freeU"]:
        version, b1, b2, s1, s2 = settings["freeU"]
        pipeline.enable_freeu(s1=s1, s2=s2, b1=b1, b2=b2)
        unet_2d_blocks.apply_freeu = freeu_v2 if version == "v2" else torch_utils.apply_freeu
    latents = pipeline(
        settings["prompt"], negative_prompt=settings["negativePrompt"], width=settings["width"],
        height=settings["height"], num_inference_steps=settings["steps"],
        guidance_scale=settings["guidanceScale"], guidance_rescale=settings["guidanceRescale"], num_images_per_prompt=count,
        generator=[torch.Generator("cpu").manual_seed(seed) for seed in settings["seeds"]],
        output_type="latent", **options).images
    if settings["freeU"]:
        pipeline.disable_freeu()
    if settings["pagScale"]:
        pipeline.unet.set_attn_processor(AttnProcessor2_0())
    decoded = pipeline.vae.decode(latents / pipeline.vae.config.scaling_factor).sample
    pictures = pipeline.image_processor.postprocess(decoded, output_type="pil")
    return latents, torch.from_numpy(np.stack([np.asarray(picture) for picture in pictures]))


if __name__ == "__main__":
    (HERE / "pipelines").mkdir(exist_ok=True)
    for model in ["tiny-sd1", "tiny-sd2"]:
        pipeline = load(model)
        configuration = pipeline.scheduler.config
        tensors = {}
        for name, settings in REQUESTS.items():
            pipeline.scheduler = SAMPLERS[settings["sampler"]].from_config(configuration)
            latents, pictures = run(pipeline, settings)
            tensors[f"{name}.latents"] = latents
            if settings["picture"]:
                tensors[f"{name}.picture"] = pictures
        save(HERE / "pipelines" / f"{model}.safetensors", tensors)
        text = json.dumps({"model": model, "requests": REQUESTS}, indent=2)
        (HERE / "pipelines" / f"{model}.json").write_text(text + "\n")
