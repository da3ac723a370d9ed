"""Writes a LoRA with random weights for a U-Net of Stable Diffusion 1.5's sizes, in f16, with kohya's names.

    python Benchmarks/random_lora.py attention|convolutions FILE [RANK]

attention: of all matrices of the transformer blocks; convolutions: of the convolutions too (LoCon).
"""

import sys

import torch
from diffusers import UNet2DConditionModel
from safetensors.torch import save_file


def main():
    kind, path = sys.argv[1:3]
    rank = int(sys.argv[3]) if len(sys.argv) > 3 else 32
    torch.manual_seed(0)
    with torch.device("meta"):
        unet = UNet2DConditionModel(
            sample_size=64, cross_attention_dim=768, attention_head_dim=8, block_out_channels=(320, 640, 1280, 1280),
            layers_per_block=2)
    tensors = {}
    for name, module in unet.named_modules():
        is_matrix = isinstance(module, torch.nn.Linear) and ("attn" in name or "ff.net" in name)
        is_convolution = isinstance(module, torch.nn.Conv2d) and name not in ("conv_in", "conv_out")
        if not is_matrix and not (is_convolution and (kind == "convolutions" or "proj_" in name)):
            continue
        outputs, inputs, *kernel = module.weight.shape
        key = "lora_unet_" + name.replace(".", "_")
        tensors[key + ".lora_down.weight"] = (torch.randn(rank, inputs, *kernel) * 0.02).half()
        tensors[key + ".lora_up.weight"] = (torch.randn(outputs, rank, *[1] * len(kernel)) * 0.02).half()
        tensors[key + ".alpha"] = torch.tensor(rank / 2)
    save_file(tensors, path)


if __name__ == "__main__":
    main()
