"""Writes what diffusers makes of tiny models of each family, loaded from a single file in CompVis' layout, in f32:
Tests/Golden/families/<family>.json, the file's tensors and the requests, and <family>.safetensors, the latents.

    python Tests/Golden/families.py

The weights are not kept: they follow from each tensor's name and shape, here and in the tests. diffusers' own readers
of single files turn the names into diffusers'.
"""

import json
import sys

import numpy as np
import torch
from diffusers import (
    AutoencoderKL, EulerDiscreteScheduler, LatentConsistencyModelPipeline, LCMScheduler, PNDMScheduler,
    StableDiffusionDepth2ImgPipeline, StableDiffusionInpaintPipeline, StableDiffusionInstructPix2PixPipeline, StableDiffusionPipeline,
    StableDiffusionXLImg2ImgPipeline, StableDiffusionXLInpaintPipeline, StableDiffusionXLPipeline, TCDScheduler,
    UNet2DConditionModel)
from diffusers.loaders import single_file_utils
from transformers import (
    CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer)

from networks import HERE, save

FOLDER = HERE / "families"
VOCABULARY = HERE / "models/tiny-sd1/tokenizer"
TOKENS = len(json.loads((VOCABULARY / "vocab.json").read_text(encoding="utf-8")))


def hash_of(name):
    """FNV-1a of 64 bits."""
    value = 0xCBF29CE484222325
    for byte in name.encode():
        value = (value ^ byte) * 0x100000001B3 % 2**64
    return value


def values(name, shape):
    """Uniform numbers from SplitMix64, begun at the name's hash: of the variance 1/fan in for matrices, about 1 for
    scales and about 0 for biases."""
    count = int(np.prod(shape, dtype=np.int64))
    with np.errstate(over="ignore"):
        state = np.uint64(hash_of(name)) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        state ^= state >> np.uint64(31)
    uniform = (state >> np.uint64(40)).astype(np.float64) / 2**24 - 0.5
    if len(shape) > 1:
        scale = (12 / (count // shape[0])) ** 0.5
        if "embedding" in name:
            scale = 12**0.5 / 2
        # What the U-Net predicts is small, so that no step enlarges what rounding makes different.
        if name.startswith("model.diffusion_model.out.2."):
            scale *= 0.2
        result = uniform * scale
    else:
        result = uniform * (12**0.5 / 10) + (1 if name.endswith("weight") else 0)
    return torch.from_numpy(result.astype(np.float32).reshape(shape))


def unet_names(config):
    """CompVis' name of each module of a U-Net, by diffusers'."""
    names = {
        "conv_in": "input_blocks.0.0", "time_embedding.linear_1": "time_embed.0", "time_embedding.linear_2": "time_embed.2",
        "add_embedding.linear_1": "label_emb.0.0", "add_embedding.linear_2": "label_emb.0.2",
        "time_embedding.cond_proj": "time_embed.cond_proj",
        "mid_block.resnets.0": "middle_block.0", "mid_block.attentions.0": "middle_block.1",
        "mid_block.resnets.1": "middle_block.2", "conv_norm_out": "out.0", "conv_out": "out.2",
    }
    levels, layers = len(config["block_out_channels"]), config["layers_per_block"]
    number = 1
    for level, kind in enumerate(config["down_block_types"]):
        for layer in range(layers):
            names[f"down_blocks.{level}.resnets.{layer}"] = f"input_blocks.{number}.0"
            names[f"down_blocks.{level}.attentions.{layer}"] = f"input_blocks.{number}.1"
            number += 1
        if level + 1 < levels:
            names[f"down_blocks.{level}.downsamplers.0.conv"] = f"input_blocks.{number}.0.op"
            number += 1
    number = 0
    for level, kind in enumerate(config["up_block_types"]):
        for layer in range(layers + 1):
            names[f"up_blocks.{level}.resnets.{layer}"] = f"output_blocks.{number}.0"
            names[f"up_blocks.{level}.attentions.{layer}"] = f"output_blocks.{number}.1"
            if layer == layers and level + 1 < levels:
                place = 2 if kind.startswith("CrossAttn") else 1
                names[f"up_blocks.{level}.upsamplers.0.conv"] = f"output_blocks.{number}.{place}.conv"
            number += 1
    return names


RESNET = {
    "norm1": "in_layers.0", "conv1": "in_layers.2", "time_emb_proj": "emb_layers.1", "norm2": "out_layers.0",
    "conv2": "out_layers.3", "conv_shortcut": "skip_connection",
}


def renamed(name, modules, layers):
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        module = modules.get(".".join(parts[:end]))
        if module is not None:
            rest = ".".join(parts[end:])
            if "resnets" in name:
                layer, kind = rest.rsplit(".", 1)
                rest = f"{layers.get(layer, layer)}.{kind}"
            return f"{module}.{rest}"
    raise KeyError(name)


def unet_file(model):
    names = unet_names(model.config)
    return {
        "model.diffusion_model." + renamed(name, names, RESNET): list(value.shape)
        for name, value in model.state_dict().items()}


def vae_file(model):
    levels, layers = len(model.config["block_out_channels"]), model.config["layers_per_block"]
    names = {"quant_conv": "quant_conv", "post_quant_conv": "post_quant_conv"}
    for half in ["encoder", "decoder"]:
        for ours, theirs in [("conv_in", "conv_in"), ("conv_norm_out", "norm_out"), ("conv_out", "conv_out")]:
            names[f"{half}.{ours}"] = f"{half}.{theirs}"
        for index, place in enumerate(["block_1", "block_2"]):
            names[f"{half}.mid_block.resnets.{index}"] = f"{half}.mid.{place}"
        for ours, theirs in [
            ("group_norm", "norm"), ("to_q", "q"), ("to_k", "k"), ("to_v", "v"), ("to_out.0", "proj_out"),
        ]:
            names[f"{half}.mid_block.attentions.0.{ours}"] = f"{half}.mid.attn_1.{theirs}"
    for level in range(levels):
        for layer in range(layers):
            names[f"encoder.down_blocks.{level}.resnets.{layer}"] = f"encoder.down.{level}.block.{layer}"
        names[f"encoder.down_blocks.{level}.downsamplers.0.conv"] = f"encoder.down.{level}.downsample.conv"
        for layer in range(layers + 1):
            names[f"decoder.up_blocks.{level}.resnets.{layer}"] = f"decoder.up.{levels - 1 - level}.block.{layer}"
        names[f"decoder.up_blocks.{level}.upsamplers.0.conv"] = f"decoder.up.{levels - 1 - level}.upsample.conv"
    file = {}
    for name, value in model.state_dict().items():
        theirs = "first_stage_model." + renamed(name, names, {"conv_shortcut": "nin_shortcut"})
        is_matrix = "attn_1" in theirs and value.dim() == 2
        file[theirs] = [*value.shape, 1, 1] if is_matrix else list(value.shape)
    return file


def clip_file(model, prefix):
    file = {}
    for name, value in model.state_dict().items():
        name = name if name.startswith(("text_model", "text_projection")) else "text_model." + name
        file[prefix + name] = list(value.shape)
    file[prefix + "text_model.embeddings.position_ids"] = [1, 77]
    return file


def open_clip_file(config, prefix):
    width, inner = config.hidden_size, config.intermediate_size
    file = {
        "positional_embedding": [77, width], "text_projection": [width, config.projection_dim], "logit_scale": [],
        "token_embedding.weight": [config.vocab_size, width], "ln_final.weight": [width], "ln_final.bias": [width],
    }
    for layer in range(config.num_hidden_layers):
        path = f"transformer.resblocks.{layer}"
        file |= {
            f"{path}.ln_1.weight": [width], f"{path}.ln_1.bias": [width], f"{path}.ln_2.weight": [width],
            f"{path}.ln_2.bias": [width], f"{path}.attn.in_proj_weight": [3 * width, width],
            f"{path}.attn.in_proj_bias": [3 * width], f"{path}.attn.out_proj.weight": [width, width],
            f"{path}.attn.out_proj.bias": [width], f"{path}.mlp.c_fc.weight": [inner, width],
            f"{path}.mlp.c_fc.bias": [inner], f"{path}.mlp.c_proj.weight": [width, inner],
            f"{path}.mlp.c_proj.bias": [width],
        }
    return {prefix + name: shape for name, shape in file.items()}


def text_config(width, layers, activation, projection):
    return CLIPTextConfig(
        vocab_size=TOKENS, hidden_size=width, intermediate_size=2 * width, num_hidden_layers=layers,
        num_attention_heads=width // 64, hidden_act=activation, projection_dim=projection, bos_token_id=TOKENS - 2,
        eos_token_id=TOKENS - 1, pad_token_id=1)


def unet_model(**config):
    return UNet2DConditionModel(**{
        "block_out_channels": [32, 64], "layers_per_block": 1, "cross_attention_dim": 64, "sample_size": 64,
        "attention_head_dim": 8, "down_block_types": ["CrossAttnDownBlock2D", "DownBlock2D"],
        "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D"],
    } | config)


def vae_model(scaling_factor):
    return AutoencoderKL(
        block_out_channels=[32, 32], layers_per_block=1, latent_channels=4, scaling_factor=scaling_factor,
        down_block_types=["DownEncoderBlock2D"] * 2, up_block_types=["UpDecoderBlock2D"] * 2)


def fill(model, converted):
    """Gives a model the values that diffusers' reader found for it, all of them."""
    missing, unexpected = model.load_state_dict(converted, strict=False)
    assert not missing, missing
    assert all("position_ids" in name for name in unexpected), unexpected
    return model.eval().requires_grad_(False)


def load_unet(model, file):
    found = single_file_utils.convert_ldm_unet_checkpoint(dict(file), model.config)
    # diffusers' reader does not know this one.
    guidance = file.get("model.diffusion_model.time_embed.cond_proj.weight")
    return fill(model, found | ({} if guidance is None else {"time_embedding.cond_proj.weight": guidance}))


def load_vae(model, file):
    return fill(model, single_file_utils.convert_ldm_vae_checkpoint(dict(file), model.config))


def load_clip(model, file, prefix):
    found = {name[len(prefix):]: value for name, value in file.items() if name.startswith(prefix)}
    if not any(name.startswith("text_model.") for name in model.state_dict()):
        found = {name.removeprefix("text_model."): value for name, value in found.items()}
    return fill(model, found)


def load_open_clip(model, file, prefix):
    layers = model.config.num_hidden_layers
    kept = {
        name: value for name, value in file.items()
        if "resblocks." not in name or int(name.split("resblocks.")[1].split(".")[0]) < layers}
    found = single_file_utils.convert_open_clip_checkpoint(model, kept, prefix)
    names = set(model.state_dict())
    if not any(name.startswith("text_model.") for name in names):
        found = {name.removeprefix("text_model."): value for name, value in found.items()}
    return fill(model, {name: value for name, value in found.items() if name in names})


def tokenizer(**changes):
    return CLIPTokenizer.from_pretrained(VOCABULARY, **changes)


PNDM = dict(
    beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", set_alpha_to_one=False, skip_prk_steps=True,
    steps_offset=1)
EULER = dict(
    beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", steps_offset=1, timestep_spacing="leading")
NO_CHECKER = dict(safety_checker=None, feature_extractor=None, requires_safety_checker=False)


def stable_diffusion_1(kind=StableDiffusionPipeline, scheduler=PNDMScheduler(**PNDM), input_channels=4, **unet):
    unet, vae = unet_model(in_channels=input_channels, **unet), vae_model(0.18215)
    text = CLIPTextModel(text_config(64, 2, "quick_gelu", 64))
    prefix = "cond_stage_model.transformer."
    shapes = unet_file(unet) | vae_file(vae) | clip_file(text, prefix) | {
        # What trained checkpoints have beside the networks.
        "betas": [1000], "alphas_cumprod": [1000], "model_ema.decay": [], "model_ema.num_updates": [],
        "model_ema.diffusion_modelinput_blocks00weight": [32, input_channels, 3, 3],
        "first_stage_model.loss.logvar": [],
    }
    file = {name: values(name, shape) for name, shape in shapes.items()}
    return shapes, kind(
        load_vae(vae, file), load_clip(text, file, prefix), tokenizer(), load_unet(unet, file), scheduler, **NO_CHECKER)


def stable_diffusion_2(prediction="epsilon", **unet):
    unet = unet_model(**{"use_linear_projection": True, "attention_head_dim": [1, 1]} | unet)
    vae = vae_model(0.18215)
    config = text_config(64, 3, "gelu", 32)
    prefix = "cond_stage_model.model."
    shapes = unet_file(unet) | vae_file(vae) | open_clip_file(config, prefix)
    file = {name: values(name, shape) for name, shape in shapes.items()}
    text = CLIPTextModel(text_config(64, 2, "gelu", 32))
    parts = [
        load_vae(vae, file), load_open_clip(text, file, prefix), tokenizer(pad_token="!"), load_unet(unet, file),
        PNDMScheduler(**PNDM, prediction_type=prediction)]
    if unet.config.in_channels == 5:
        # The network that guesses depth is not asked: it is given.
        return shapes, StableDiffusionDepth2ImgPipeline(*parts, depth_estimator=None, feature_extractor=None)
    return shapes, StableDiffusionPipeline(*parts, **NO_CHECKER)


def stable_diffusion_xl(kind=StableDiffusionXLPipeline, **unet):
    unet = unet_model(**{
        "use_linear_projection": True, "attention_head_dim": [1, 1], "cross_attention_dim": 192,
        "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D"],
        "up_block_types": ["CrossAttnUpBlock2D", "UpBlock2D"], "transformer_layers_per_block": [1, 2],
        "addition_embed_type": "text_time", "addition_time_embed_dim": 256,
        "projection_class_embeddings_input_dim": 6 * 256 + 96, "sample_size": 128,
    } | unet)
    vae = vae_model(0.13025)
    texts = [
        CLIPTextModel(text_config(64, 3, "quick_gelu", 64)),
        CLIPTextModelWithProjection(text_config(128, 3, "gelu", 96))]
    prefixes = ["conditioner.embedders.0.transformer.", "conditioner.embedders.1.model."]
    shapes = (
        unet_file(unet) | vae_file(vae) | clip_file(texts[0], prefixes[0])
        | open_clip_file(texts[1].config, prefixes[1]))
    file = {name: values(name, shape) for name, shape in shapes.items()}
    return shapes, kind(
        load_vae(vae, file), load_clip(texts[0], file, prefixes[0]), load_open_clip(texts[1], file, prefixes[1]),
        tokenizer(), tokenizer(pad_token="!"), load_unet(unet, file), EulerDiscreteScheduler(**EULER),
        force_zeros_for_empty_prompt=True, add_watermarker=False)


def refiner():
    unet = unet_model(
        use_linear_projection=True, attention_head_dim=[1, 1], cross_attention_dim=128,
        transformer_layers_per_block=[2, 1], addition_embed_type="text_time", addition_time_embed_dim=256,
        projection_class_embeddings_input_dim=5 * 256 + 96, sample_size=128)
    vae = vae_model(0.13025)
    text = CLIPTextModelWithProjection(text_config(128, 3, "gelu", 96))
    prefix = "conditioner.embedders.0.model."
    shapes = unet_file(unet) | vae_file(vae) | open_clip_file(text.config, prefix)
    file = {name: values(name, shape) for name, shape in shapes.items()}
    return shapes, StableDiffusionXLImg2ImgPipeline(
        load_vae(vae, file), None, load_open_clip(text, file, prefix), None, tokenizer(pad_token="!"),
        load_unet(unet, file), EulerDiscreteScheduler(**EULER), requires_aesthetics_score=True,
        force_zeros_for_empty_prompt=False, add_watermarker=False)


def request(**changes):
    return {
        "prompt": "a red apple on a table", "negativePrompt": "low quality, blurry", "width": 72, "height": 64,
        "steps": 4, "guidanceScale": 7.5, "seed": 42, "clipSkip": 1,
    } | changes


# diffusers leaves out no layer for the negative prompt, which other programs do: layers are left out without guidance.
REQUESTS = [
    request(), request(negativePrompt=""), request(guidanceScale=1.0, width=64), request(clipSkip=2, seed=7, guidanceScale=1.0),
]
# Of models that were distilled to a few steps.
TIMESTEPS = [999, 749, 500, 1]
SCHEDULERS = {"euler": EulerDiscreteScheduler, "lcm": LCMScheduler, "tcd": TCDScheduler}
SIZES = {"original_size": (40, 90), "crops_coords_top_left": (8, 16), "target_size": (128, 256)}


def picture(one):
    """A picture to start from: bars of light, each pixel of 8 bits."""
    columns = torch.arange(one["width"]).float().mul(3).remainder(256)
    rows = torch.arange(one["height"]).float().mul(2).remainder(256)
    bytes = torch.stack([columns.expand(one["height"], -1), rows[:, None].expand(-1, one["width"]),
                         torch.full((one["height"], one["width"]), 100.0)])
    return bytes[None] / 255


def latents(pipeline, one, **settings):
    """The final latents of a request."""
    settings |= dict(
        prompt=one["prompt"], negative_prompt=one["negativePrompt"] or None, width=one["width"], height=one["height"],
        guidance_scale=one["guidanceScale"],
        generator=torch.Generator("cpu").manual_seed(one["seed"]), output_type="latent")
    if "timesteps" not in settings:
        settings["num_inference_steps"] = one["steps"]
    if one["clipSkip"] > 1:
        settings["clip_skip"] = one["clipSkip"] - 1
        # diffusers' pipelines for transformers 4, where the encoder was in the model.
        if pipeline.text_encoder is not None:
            object.__setattr__(pipeline.text_encoder, "text_model", pipeline.text_encoder)
    if "Inpaint" in type(pipeline).__name__:
        mask = torch.zeros(1, 1, one["height"], one["width"])
        mask[..., one["width"] // 2 :] = 1
        settings |= dict(image=torch.zeros(1, 3, one["height"], one["width"]), mask_image=mask, strength=1.0)
    if isinstance(pipeline, StableDiffusionXLImg2ImgPipeline):
        settings |= dict(image=picture(one), strength=0.5)
        # The picture has the size of the request.
        del settings["width"], settings["height"]
    if isinstance(pipeline, StableDiffusionDepth2ImgPipeline):
        settings |= dict(image=picture(one), depth_map=picture(one).mean(dim=1), strength=0.5)
        del settings["width"], settings["height"]
    if isinstance(pipeline, StableDiffusionInstructPix2PixPipeline):
        settings |= dict(image=picture(one), image_guidance_scale=1.5)
        del settings["width"], settings["height"]
    if isinstance(pipeline, LatentConsistencyModelPipeline):
        # diffusers lets this model be led by its own prompt alone.
        del settings["negative_prompt"]
    return pipeline(**settings).images


FAMILIES = {
    "sd1": stable_diffusion_1, "sd2": stable_diffusion_2, "xl": stable_diffusion_xl,
    "sd1-inpainting": lambda: stable_diffusion_1(StableDiffusionInpaintPipeline, input_channels=9),
    "sd1-editing": lambda: stable_diffusion_1(StableDiffusionInstructPix2PixPipeline, input_channels=8),
    # As BK-SDM and Segmind's small models are: fewer layers, and nothing in the middle.
    "sd1-distilled": lambda: stable_diffusion_1(
        block_out_channels=[32, 32, 64], down_block_types=["CrossAttnDownBlock2D"] * 3, mid_block_type=None,
        up_block_types=["CrossAttnUpBlock2D"] * 3),
    "sd1-lcm": lambda: stable_diffusion_1(
        LatentConsistencyModelPipeline, LCMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear"),
        time_cond_proj_dim=256),
    # As large as it takes for a bias of the spread that shows velocities.
    "sd2-velocity": lambda: stable_diffusion_2(
        "v_prediction", block_out_channels=[128, 32, 32, 32], layers_per_block=2, attention_head_dim=[2, 1, 1, 1], sample_size=96,
        down_block_types=["CrossAttnDownBlock2D"] * 3 + ["DownBlock2D"],
        up_block_types=["UpBlock2D"] + ["CrossAttnUpBlock2D"] * 3),
    "sd2-depth": lambda: stable_diffusion_2(in_channels=5),
    "xl-inpainting": lambda: stable_diffusion_xl(StableDiffusionXLInpaintPipeline, in_channels=9),
    # As SSD-1B is: layers of unequal depth, and one block in the middle.
    "xl-distilled": lambda: stable_diffusion_xl(
        layers_per_block=2, transformer_layers_per_block=[0, [2, 1]], mid_block_type="UNetMidBlock2D",
        reverse_transformer_layers_per_block=[[2, 1, 3], 0]),
    "xl-refiner": refiner,
}


def main():
    torch.set_grad_enabled(False)
    torch.set_num_threads(1)
    for family in sys.argv[1:] or FAMILIES:
        shapes, pipeline = FAMILIES[family]()
        pipeline.set_progress_bar_config(disable=True)
        results = {f"latents.{index}": latents(pipeline, one) for index, one in enumerate(REQUESTS)}
        for result in results.values():
            assert result.isfinite().all() and result.abs().max() < 100, result.abs().max()
        if isinstance(pipeline, StableDiffusionXLPipeline):
            results["latents.sizes"] = latents(pipeline, REQUESTS[0], **SIZES)
        if family == "sd1":
            for name, scheduler in SCHEDULERS.items():
                pipeline.scheduler = scheduler.from_config(pipeline.scheduler.config)
                results[f"latents.{name}"] = latents(pipeline, REQUESTS[0], timesteps=TIMESTEPS)
        # A picture, for the autoencoder.
        scaled = results["latents.0"] / pipeline.vae.config.scaling_factor
        results["picture.0"] = pipeline.vae.decode(scaled).sample.clamp(-1, 1)
        save(FOLDER / f"{family}.safetensors", results)
        document = {"requests": REQUESTS, "tensors": {name: shapes[name] for name in sorted(shapes)}}
        (FOLDER / f"{family}.json").write_text(json.dumps(document, indent=0) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
