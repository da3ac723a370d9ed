"""Writes a model of the sizes of Stable Diffusion 1.5 or XL with random weights, for measuring.

    python random_model.py sd15|sdxl FOLDER [--type f16|f32]

Weights are drawn on a GPU where there is one. TINY=1 makes networks of the same kinds that fit anywhere.
"""

import argparse
import json
import os
from pathlib import Path

import torch
from diffusers import (
    AutoencoderKL, EulerDiscreteScheduler, PNDMScheduler, StableDiffusionPipeline, StableDiffusionXLPipeline,
    UNet2DConditionModel)
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

TINY = os.environ.get("TINY") == "1"
END = 49407


def byte_symbols():
    """CLIP's printable stand-ins for the 256 bytes, in the order of its vocabulary."""
    plain = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    moved = [byte for byte in range(256) if byte not in plain]
    return [chr(byte) for byte in plain] + [chr(256 + index) for index in range(len(moved))]


def write_tokenizer(folder, size=49408):
    """A vocabulary of the real one's size whose merges are all pairs of symbols in order: not CLIP's words."""
    folder.mkdir(parents=True, exist_ok=True)
    symbols = byte_symbols()
    tokens = symbols + [symbol + "</w>" for symbol in symbols]
    merges = []
    for left in symbols:
        for right in symbols:
            if len(tokens) + 2 == size:
                break
            merges.append(f"{left} {right}")
            tokens.append(left + right)
    tokens += ["<|startoftext|>", "<|endoftext|>"]
    vocabulary = {token: index for index, token in enumerate(tokens)}
    (folder / "vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=False))
    (folder / "merges.txt").write_text("\n".join(["#version: 0.2", *merges]) + "\n")
    return CLIPTokenizer.from_pretrained(folder, model_max_length=77)


def drawn(make, dtype):
    """The network that `make` makes, with weights drawn at once instead of by each layer's own rule."""
    with torch.device("meta"):
        network = make()
    network = network.to(dtype).to_empty(device="cuda" if torch.cuda.is_available() else "cpu")
    for name, weights in network.named_parameters():
        if weights.ndim == 1:
            weights.data.fill_(1 if name.endswith("weight") else 0)
        else:
            # So that what goes through keeps its size.
            weights.data.normal_(0, weights[0].numel() ** -0.5)
    for name, buffer in network.named_buffers():
        if not name.endswith("position_ids"):
            raise NotImplementedError(f"{name} is neither a weight nor the positions of tokens")
        buffer.copy_(torch.arange(buffer.shape[-1]).expand(buffer.shape))
    return network.to("cpu")


def text_configuration(width, layers, heads, **more):
    if TINY:
        width, layers, heads = 32, 2, 4
    return CLIPTextConfig(
        vocab_size=END + 1, hidden_size=width, intermediate_size=4 * width, num_hidden_layers=layers,
        num_attention_heads=heads, projection_dim=width, bos_token_id=END - 1, eos_token_id=END, pad_token_id=1,
        **more)


def autoencoder(size, **more):
    channels = (32, 32, 64, 64) if TINY else (128, 256, 512, 512)
    return AutoencoderKL(
        block_out_channels=channels, layers_per_block=2, latent_channels=4, sample_size=size,
        down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4, **more)


def sd15(folder, dtype):
    text = text_configuration(768, 12, 12)
    channels = (32, 64, 64, 64) if TINY else (320, 640, 1280, 1280)
    unet = drawn(
        lambda: UNet2DConditionModel(
            sample_size=64, cross_attention_dim=text.hidden_size, attention_head_dim=8,
            block_out_channels=channels, layers_per_block=2), dtype)
    scheduler = PNDMScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", skip_prk_steps=True, steps_offset=1,
        set_alpha_to_one=False)
    return StableDiffusionPipeline(
        vae=drawn(lambda: autoencoder(512), dtype), text_encoder=drawn(lambda: CLIPTextModel(text), dtype),
        tokenizer=write_tokenizer(folder / "tokenizer"), unet=unet, scheduler=scheduler, safety_checker=None,
        feature_extractor=None, requires_safety_checker=False)


def sdxl(folder, dtype):
    first = text_configuration(768, 12, 12)
    second = text_configuration(1280, 32, 20, hidden_act="gelu")
    channels = (32, 64, 64) if TINY else (320, 640, 1280)
    unet = drawn(
        lambda: UNet2DConditionModel(
            sample_size=128, cross_attention_dim=first.hidden_size + second.hidden_size,
            attention_head_dim=(2, 4, 8) if TINY else (5, 10, 20), block_out_channels=channels,
            layers_per_block=2, down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
            transformer_layers_per_block=(1, 2, 10), use_linear_projection=True, addition_embed_type="text_time",
            addition_time_embed_dim=256, projection_class_embeddings_input_dim=second.projection_dim + 6 * 256),
        dtype)
    scheduler = EulerDiscreteScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", steps_offset=1,
        timestep_spacing="leading")
    return StableDiffusionXLPipeline(
        vae=drawn(lambda: autoencoder(1024, scaling_factor=0.13025, force_upcast=False), dtype),
        text_encoder=drawn(lambda: CLIPTextModel(first), dtype),
        text_encoder_2=drawn(lambda: CLIPTextModelWithProjection(second), dtype),
        tokenizer=write_tokenizer(folder / "tokenizer"), tokenizer_2=write_tokenizer(folder / "tokenizer_2"),
        unet=unet, scheduler=scheduler)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("family", choices=["sd15", "sdxl"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--type", choices=["f16", "f32"], default="f16")
    asked = parser.parse_args()
    torch.manual_seed(0)
    make = {"sd15": sd15, "sdxl": sdxl}[asked.family]
    pipeline = make(asked.folder, {"f16": torch.float16, "f32": torch.float32}[asked.type])
    pipeline.save_pretrained(asked.folder, max_shard_size="20GB")


if __name__ == "__main__":
    main()
