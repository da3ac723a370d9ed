"""Writes the names and shapes of whole models of each family in one file, at their real sizes, and diffusers'
configurations of their networks: Tests/Golden/families/full-<family>.json.

    python Tests/Golden/family_sizes.py
"""

import json

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel

from families import FOLDER, clip_file, open_clip_file, unet_file, vae_file

CROSS, PLAIN = "CrossAttnDownBlock2D", "DownBlock2D"
UP_CROSS, UP_PLAIN = "CrossAttnUpBlock2D", "UpBlock2D"

SD1 = dict(
    block_out_channels=[320, 640, 1280, 1280], layers_per_block=2, cross_attention_dim=768, attention_head_dim=8,
    sample_size=64, down_block_types=[CROSS, CROSS, CROSS, PLAIN], up_block_types=[UP_PLAIN, UP_CROSS, UP_CROSS, UP_CROSS])
SD2 = SD1 | dict(cross_attention_dim=1024, attention_head_dim=[5, 10, 20, 20], use_linear_projection=True)
XL = dict(
    block_out_channels=[320, 640, 1280], layers_per_block=2, cross_attention_dim=2048, attention_head_dim=[5, 10, 20],
    sample_size=128, down_block_types=[PLAIN, CROSS, CROSS], up_block_types=[UP_CROSS, UP_CROSS, UP_PLAIN],
    transformer_layers_per_block=[1, 2, 10], use_linear_projection=True, addition_embed_type="text_time",
    addition_time_embed_dim=256, projection_class_embeddings_input_dim=2816)
# Segmind's SSD-1B, and BK-SDM-Tiny.
SSD = XL | dict(
    transformer_layers_per_block=[0, [2, 2], [4, 4]], reverse_transformer_layers_per_block=[[4, 4, 10], [2, 1, 1], 1],
    mid_block_type="UNetMidBlock2D")
BK = SD1 | dict(
    block_out_channels=[320, 640, 1280], layers_per_block=1, mid_block_type=None, down_block_types=[CROSS] * 3,
    up_block_types=[UP_CROSS] * 3)

CLIP_L = dict(
    vocab_size=49408, hidden_size=768, intermediate_size=3072, num_hidden_layers=12, num_attention_heads=12,
    hidden_act="quick_gelu", projection_dim=768)
CLIP_H = dict(
    vocab_size=49408, hidden_size=1024, intermediate_size=4096, num_hidden_layers=24, num_attention_heads=16,
    hidden_act="gelu", projection_dim=1024)
CLIP_G = dict(
    vocab_size=49408, hidden_size=1280, intermediate_size=5120, num_hidden_layers=32, num_attention_heads=20,
    hidden_act="gelu", projection_dim=1280)

# The U-Net, the autoencoder's scale, and the text encoders: whether they are OpenCLIP's, and their prefixes.
FAMILIES = {
    "sd1": (SD1, 0.18215, [(CLIP_L, False, "cond_stage_model.transformer.")]),
    "sd1-inpainting": (SD1 | dict(in_channels=9), 0.18215, [(CLIP_L, False, "cond_stage_model.transformer.")]),
    "sd2": (SD2, 0.18215, [(CLIP_H, True, "cond_stage_model.model.")]),
    "bk-sdm-tiny": (BK, 0.18215, [(CLIP_L, False, "cond_stage_model.transformer.")]),
    "ssd-1b": (SSD, 0.13025, [
        (CLIP_L, False, "conditioner.embedders.0.transformer."), (CLIP_G, True, "conditioner.embedders.1.model.")]),
    "xl": (XL, 0.13025, [
        (CLIP_L, False, "conditioner.embedders.0.transformer."), (CLIP_G, True, "conditioner.embedders.1.model.")]),
}


def main():
    for family, (unet_config, scale, texts) in FAMILIES.items():
        with torch.device("meta"):
            unet = UNet2DConditionModel(**unet_config)
            vae = AutoencoderKL(
                block_out_channels=[128, 256, 512, 512], layers_per_block=2, latent_channels=4, scaling_factor=scale,
                down_block_types=["DownEncoderBlock2D"] * 4, up_block_types=["UpDecoderBlock2D"] * 4)
            shapes = unet_file(unet) | vae_file(vae)
            for config, is_open, prefix in texts:
                config = CLIPTextConfig(**config)
                shapes |= open_clip_file(config, prefix) if is_open else clip_file(CLIPTextModel(config), prefix)
        document = {
            "unet": dict(unet.config), "vae": dict(vae.config), "text": [config for config, _, _ in texts],
            "tensors": {name: shapes[name] for name in sorted(shapes)},
        }
        text = json.dumps(document, separators=(",", ":")).replace('],"', '],\n"')
        (FOLDER / f"full-{family}.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
