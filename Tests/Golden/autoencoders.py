"""Writes what diffusers makes with other autoencoders in place of a tiny model's own, in f32:
Tests/Golden/families/vae-<name>.json, the file's tensors, and vaes.safetensors, the results.

    python Tests/Golden/autoencoders.py
"""

import json

import torch
from diffusers import AutoencoderTiny, StableDiffusionImg2ImgPipeline

from families import FAMILIES, FOLDER, REQUESTS, fill, latents, load_vae, picture, vae_file, vae_model, values
from networks import save


def tiny():
    model = AutoencoderTiny(
        encoder_block_out_channels=(16, 16), decoder_block_out_channels=(16, 16), num_encoder_blocks=(1, 2),
        num_decoder_blocks=(2, 1))
    shapes = {name: list(value.shape) for name, value in model.state_dict().items()}
    return shapes, fill(model, {name: values(name, shape) for name, shape in shapes.items()})


def large():
    """Not the model's own: its names have no prefix, so that its values are others."""
    model = vae_model(0.18215)
    shapes = {name.removeprefix("first_stage_model."): shape for name, shape in vae_file(model).items()}
    return shapes, load_vae(model, {
        "first_stage_model." + name: values(name, shape) for name, shape in shapes.items()})


def main():
    torch.set_grad_enabled(False)
    torch.set_num_threads(1)
    results = {}
    for name, make in {"tiny": tiny, "large": large}.items():
        _, pipeline = FAMILIES["sd1"]()
        pipeline.set_progress_bar_config(disable=True)
        shapes, pipeline.vae = make()
        found = latents(pipeline, REQUESTS[0])
        decoded = pipeline.vae.decode(found / pipeline.vae.config.scaling_factor).sample
        results[f"{name}.picture"] = decoded.clamp(-1, 1)
        parts = pipeline.components
        other = StableDiffusionImg2ImgPipeline(**parts, requires_safety_checker=False)
        other.set_progress_bar_config(disable=True)
        one = REQUESTS[0]
        results[f"{name}.latents"] = other(
            prompt=one["prompt"], negative_prompt=one["negativePrompt"], image=picture(one), strength=0.5,
            num_inference_steps=one["steps"], guidance_scale=one["guidanceScale"], output_type="latent",
            generator=torch.Generator("cpu").manual_seed(one["seed"])).images
        document = {"requests": REQUESTS[:1], "tensors": {name: shapes[name] for name in sorted(shapes)}}
        (FOLDER / f"vae-{name}.json").write_text(json.dumps(document, indent=0) + "\n", encoding="utf-8")
    for name, value in results.items():
        assert value.isfinite().all()
        print(name, float(value.abs().max()), float(value.std()))
    save(FOLDER / "vaes.safetensors", results)


if __name__ == "__main__":
    main()
