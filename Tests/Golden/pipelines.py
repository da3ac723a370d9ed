"""Writes what diffusers' StableDiffusionPipeline gives for the tiny models, in f32: the final latents and some
decoded pictures, Tests/Golden/pipelines/<model>.safetensors, and the settings of each, <model>.json.

    python Tests/Golden/pipelines.py
"""

import json

import numpy as np
import torch
from diffusers import DDIMScheduler, EulerDiscreteScheduler, PNDMScheduler

from networks import HERE, load, save

SAMPLERS = {"pndm": PNDMScheduler, "ddim": DDIMScheduler, "euler": EulerDiscreteScheduler}


def request(**changes):
    return {
        "prompt": "a red apple on a table", "negativePrompt": "low quality, blurry", "width": 64, "height": 64,
        "steps": 20, "guidanceScale": 7.5, "seeds": [42], "sampler": "pndm", "picture": False, "guidanceRescale": 0.0,
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
    "batch": request(seeds=[42, 7], sampler="euler", picture=True),
}


def run(pipeline, settings):
    count = len(settings["seeds"])
    latents = pipeline(
        settings["prompt"], negative_prompt=settings["negativePrompt"], width=settings["width"],
        height=settings["height"], num_inference_steps=settings["steps"],
        guidance_scale=settings["guidanceScale"], guidance_rescale=settings["guidanceRescale"], num_images_per_prompt=count,
        generator=[torch.Generator("cpu").manual_seed(seed) for seed in settings["seeds"]],
        output_type="latent").images
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
