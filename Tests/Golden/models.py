"""Writes the tiny models: folders in the two forms that Stable Diffusion 1 and 2 checkpoints have, small
enough to commit and to run in plain Swift, with random weights from a fixed seed.

    python Tests/Golden/models.py

Each folder loads in diffusers; networks.py and pipelines.py make the expected values with it.
"""

import json
import re
import shutil
from collections import Counter
from pathlib import Path

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from safetensors.torch import save_file
from tokenizers import AddedToken
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

MODELS = Path(__file__).parent / "models"

# What the tiny vocabulary is made from.
CORPUS = """
a red apple on a table. a green apple on a wooden table. the cat sat on the mat beside the red chair.
a photograph of an astronaut riding a horse on mars. a painting of a small house by the sea at night.
a blue circle on a yellow background. a green triangle on a white background. two black squares.
the mountains in the morning, with snow and clouds. a portrait of an old woman, oil on canvas.
a bowl of fruit in the light of the window. low quality, blurry, out of focus, bad anatomy, worst quality.
a street in the rain with cars and people. the dog runs over the green field under a blue sky.
""".lower()


def byte_symbols():
    """The printable character that stands for each byte, in the order of CLIP's vocabulary."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    symbols = {byte: chr(byte) for byte in printable}
    symbols.update({byte: chr(0x100 + index) for index, byte in enumerate(others)})
    return symbols


def byte_pairs(count):
    """The `count` most frequent merges of the corpus, by byte-pair encoding (Sennrich et al., 2016)."""
    symbols = byte_symbols()
    words = Counter()
    for word in re.findall(r"[a-z]+|[^\sa-z]+", CORPUS):
        letters = [symbols[byte] for byte in word.encode()]
        words[(*letters[:-1], letters[-1] + "</w>")] += 1
    merges = []
    while len(merges) < count:
        pairs = Counter()
        for word, frequency in words.items():
            for pair in zip(word, word[1:]):
                pairs[pair] += frequency
        best = max(pairs, key=lambda pair: (pairs[pair], pair))
        merges.append(best)
        merged = Counter()
        for word, frequency in words.items():
            parts, index = [], 0
            while index < len(word):
                if word[index : index + 2] == best:
                    parts.append(word[index] + word[index + 1])
                    index += 2
                else:
                    parts.append(word[index])
                    index += 1
            merged[tuple(parts)] += frequency
        words = merged
    return merges


def vocabulary():
    merges = byte_pairs(200)
    single = list(byte_symbols().values())
    tokens = single + [symbol + "</w>" for symbol in single] + [a + b for a, b in merges]
    tokens += ["<|startoftext|>", "<|endoftext|>"]
    return {token: index for index, token in enumerate(tokens)}, merges


def write_json(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


@torch.no_grad()
def randomize(model, seed, gains={}):
    """Gives each matrix the standard deviation 1/√(fan in), each scale a spread about 1 and each bias a
    spread about 0, so that no parameter can be left out or exchanged unseen.

    `gains` multiplies the weights whose names end with a key.
    """
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in sorted(model.named_parameters()):
        values = torch.randn(parameter.shape, generator=generator)
        if name.endswith("embedding.weight") and parameter.dim() == 2 and "time" not in name:
            values *= 0.5
        elif parameter.dim() == 1:
            values *= 0.1
            if name.endswith("weight"):
                values += 1
        else:
            values *= parameter[0].numel() ** -0.5
        for end, gain in gains.items():
            if name.endswith(end):
                values *= gain
        parameter.copy_(values)
    return model.eval().requires_grad_(False)


# With these the attention weights are far from uniform, as they are in trained networks.
SHARP_ATTENTION = {"q_proj.weight": 2, "k_proj.weight": 2, "to_q.weight": 2, "to_k.weight": 2}


def output_gain(gain):
    """What the U-Net predicts is made this much smaller. Trained networks bring latents that are nearly alike closer
    together as they are denoised; random ones drive them apart, 60,000-fold in 20 steps with guidance, and would
    show nothing but rounding."""
    return {"conv_out.weight": gain, "conv_out.bias": gain}


def stable_diffusion_1():
    """The form of Stable Diffusion 1.5's own folder: single f32 files, the names of transformers 4 in the text
    encoder and of diffusers 0.6 in the autoencoder's attention, and a vocabulary in two files."""
    folder = MODELS / "tiny-sd1"
    shutil.rmtree(folder, ignore_errors=True)
    tokens, merges = vocabulary()

    write_json(folder / "model_index.json", {
        "_class_name": "StableDiffusionPipeline",
        "_diffusers_version": "0.6.0",
        "feature_extractor": [None, None],
        "safety_checker": [None, None],
        "scheduler": ["diffusers", "PNDMScheduler"],
        "text_encoder": ["transformers", "CLIPTextModel"],
        "tokenizer": ["transformers", "CLIPTokenizer"],
        "unet": ["diffusers", "UNet2DConditionModel"],
        "vae": ["diffusers", "AutoencoderKL"],
    })
    write_json(folder / "scheduler/scheduler_config.json", {
        "_class_name": "PNDMScheduler",
        "_diffusers_version": "0.6.0",
        "beta_end": 0.012,
        "beta_schedule": "scaled_linear",
        "beta_start": 0.00085,
        "clip_sample": False,
        "num_train_timesteps": 1000,
        "set_alpha_to_one": False,
        "skip_prk_steps": True,
        "steps_offset": 1,
        "trained_betas": None,
    })

    tokenizer = folder / "tokenizer"
    write_json(tokenizer / "vocab.json", tokens)
    lines = ["#version: 0.2"] + [f"{a} {b}" for a, b in merges]
    (tokenizer / "merges.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")

    def special(content, typed):
        token = {"__type": "AddedToken"} if typed else {}
        return token | {
            "content": content, "lstrip": False, "normalized": True, "rstrip": False, "single_word": False,
        }

    write_json(tokenizer / "special_tokens_map.json", {
        "bos_token": special("<|startoftext|>", False),
        "eos_token": special("<|endoftext|>", False),
        "pad_token": "<|endoftext|>",
        "unk_token": special("<|endoftext|>", False),
    })
    write_json(tokenizer / "tokenizer_config.json", {
        "add_prefix_space": False,
        "bos_token": special("<|startoftext|>", True),
        "do_lower_case": True,
        "eos_token": special("<|endoftext|>", True),
        "errors": "replace",
        "model_max_length": 77,
        "pad_token": "<|endoftext|>",
        "tokenizer_class": "CLIPTokenizer",
        "unk_token": special("<|endoftext|>", True),
    })

    text = {
        "architectures": ["CLIPTextModel"],
        "attention_dropout": 0.0,
        "bos_token_id": 0,
        "dropout": 0.0,
        "eos_token_id": 2,
        "hidden_act": "quick_gelu",
        "hidden_size": 32,
        "initializer_factor": 1.0,
        "initializer_range": 0.02,
        "intermediate_size": 64,
        "layer_norm_eps": 1e-05,
        "max_position_embeddings": 77,
        "model_type": "clip_text_model",
        "num_attention_heads": 4,
        "num_hidden_layers": 2,
        "pad_token_id": 1,
        "projection_dim": 32,
        "torch_dtype": "float32",
        "transformers_version": "4.22.0.dev0",
        "vocab_size": len(tokens),
    }
    write_json(folder / "text_encoder/config.json", text)
    encoder = randomize(CLIPTextModel(CLIPTextConfig(**text)), 1, SHARP_ATTENTION)
    weights = {f"text_model.{name}": value for name, value in encoder.state_dict().items()}
    weights["text_model.embeddings.position_ids"] = torch.arange(77).expand(1, -1).contiguous()
    save_file(weights, folder / "text_encoder/model.safetensors", metadata={"format": "pt"})

    unet = {
        "_class_name": "UNet2DConditionModel",
        "_diffusers_version": "0.6.0",
        "act_fn": "silu",
        "attention_head_dim": 4,
        "block_out_channels": [8, 16, 16],
        "center_input_sample": False,
        "cross_attention_dim": 32,
        "down_block_types": ["CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"],
        "downsample_padding": 1,
        "flip_sin_to_cos": True,
        "freq_shift": 0,
        "in_channels": 4,
        "layers_per_block": 2,
        "mid_block_scale_factor": 1,
        "norm_eps": 1e-05,
        "norm_num_groups": 4,
        "out_channels": 4,
        "sample_size": 8,
        "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"],
    }
    write_json(folder / "unet/config.json", unet)
    network = randomize(UNet2DConditionModel.from_config(unet), 2, SHARP_ATTENTION | output_gain(0.1))
    save_file(
        network.state_dict(), folder / "unet/diffusion_pytorch_model.safetensors", metadata={"format": "pt"})

    vae = {
        "_class_name": "AutoencoderKL",
        "_diffusers_version": "0.6.0",
        "act_fn": "silu",
        "block_out_channels": [4, 8, 12, 12],
        "down_block_types": ["DownEncoderBlock2D"] * 4,
        "in_channels": 3,
        "latent_channels": 4,
        "layers_per_block": 1,
        "norm_num_groups": 4,
        "out_channels": 3,
        "sample_size": 64,
        "up_block_types": ["UpDecoderBlock2D"] * 4,
    }
    write_json(folder / "vae/config.json", vae)
    autoencoder = randomize(AutoencoderKL.from_config(vae), 3, SHARP_ATTENTION | {"decoder.conv_out.weight": 0.7})
    renamed = {".to_q.": ".query.", ".to_k.": ".key.", ".to_v.": ".value.", ".to_out.0.": ".proj_attn."}
    weights = {}
    for name, value in autoencoder.state_dict().items():
        for new, old in renamed.items():
            name = name.replace(new, old)
        weights[name] = value
    save_file(weights, folder / "vae/diffusion_pytorch_model.safetensors", metadata={"format": "pt"})


def stable_diffusion_2():
    """The form of Stable Diffusion 2.1 as today's libraries save it: f16, a U-Net in two shards, linear
    projections, heads counted a level, velocity prediction, and a tokenizer in one file."""
    folder = MODELS / "tiny-sd2"
    shutil.rmtree(folder, ignore_errors=True)
    tokens, merges = vocabulary()

    write_json(folder / "model_index.json", {
        "_class_name": "StableDiffusionPipeline",
        "_diffusers_version": "0.42.1",
        "feature_extractor": [None, None],
        "image_encoder": [None, None],
        "requires_safety_checker": False,
        "safety_checker": [None, None],
        "scheduler": ["diffusers", "DDIMScheduler"],
        "text_encoder": ["transformers", "CLIPTextModel"],
        "tokenizer": ["transformers", "CLIPTokenizer"],
        "unet": ["diffusers", "UNet2DConditionModel"],
        "vae": ["diffusers", "AutoencoderKL"],
    })
    write_json(folder / "scheduler/scheduler_config.json", {
        "_class_name": "DDIMScheduler",
        "_diffusers_version": "0.42.1",
        "beta_end": 0.012,
        "beta_schedule": "scaled_linear",
        "beta_start": 0.00085,
        "clip_sample": False,
        "clip_sample_range": 1.0,
        "dynamic_thresholding_ratio": 0.995,
        "num_train_timesteps": 1000,
        "prediction_type": "v_prediction",
        "rescale_betas_zero_snr": False,
        "sample_max_value": 1.0,
        "set_alpha_to_one": False,
        "skip_prk_steps": True,
        "steps_offset": 1,
        "thresholding": False,
        "timestep_spacing": "leading",
        "trained_betas": None,
    })

    CLIPTokenizer(
        vocab=tokens, merges=merges, pad_token=AddedToken("!", normalized=False), model_max_length=77
    ).save_pretrained(folder / "tokenizer")

    text = CLIPTextConfig(
        vocab_size=len(tokens), hidden_size=32, intermediate_size=64, num_hidden_layers=3,
        num_attention_heads=2, hidden_act="gelu", projection_dim=16, bos_token_id=0, eos_token_id=2)
    encoder = randomize(CLIPTextModel(text), 4, SHARP_ATTENTION)
    encoder.half().save_pretrained(folder / "text_encoder")

    network = randomize(UNet2DConditionModel(
        sample_size=(8, 12), block_out_channels=(8, 16, 16), layers_per_block=1, attention_head_dim=[2, 4, 4],
        down_block_types=("CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"), cross_attention_dim=32,
        norm_num_groups=4, use_linear_projection=True, upcast_attention=True), 5,
        SHARP_ATTENTION | output_gain(0.5) | {"attn2.to_out.0.weight": 2})
    network.half().save_pretrained(folder / "unet", max_shard_size="120KB")

    autoencoder = randomize(AutoencoderKL(
        block_out_channels=(4, 8, 12, 12), down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4, layers_per_block=1, norm_num_groups=4, sample_size=96,
        # Not the usual 0.18215, so that a reader who takes that for granted is found out.
        scaling_factor=0.25), 6, SHARP_ATTENTION | {"decoder.conv_out.weight": 0.7})
    autoencoder.half().save_pretrained(folder / "vae")


if __name__ == "__main__":
    stable_diffusion_1()
    stable_diffusion_2()
