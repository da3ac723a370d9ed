"""Writes what diffusers' networks give for the tiny models, in f32: Tests/Golden/networks/<model>-<what>.safetensors.

    python Tests/Golden/networks.py

<what> is `text`, `unet` or `vae`. README.md lists the tensors.
"""

import json
from pathlib import Path

import torch
from diffusers import StableDiffusionPipeline
from safetensors.torch import save_file

HERE = Path(__file__).parent

PROMPTS = [
    "",
    "a red apple on a table",
    "low quality, blurry",
    "A Photograph of an astronaut, riding a HORSE! 42 times... 'don't'",
    "été in the 京都 mountains 🙂",
    " ".join(["a bowl of fruit in the light of the window,"] * 20),
]

# Height and width of the latents: square, wide, and two whose sides the U-Net's levels do not divide.
LATENT_SIZES = {"square": (8, 8), "wide": (8, 16), "odd-width": (8, 9), "odd-both": (11, 7)}


def save(path, tensors, **metadata):
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(
        {name: value.clone().contiguous() for name, value in tensors.items()}, path,
        metadata={name: json.dumps(value, ensure_ascii=False) for name, value in metadata.items()})


def load(name):
    torch.set_grad_enabled(False)
    torch.set_num_threads(1)  # many times faster than two for networks as small as these
    # Without dtype, transformers would run f16 weights in f16.
    pipeline = StableDiffusionPipeline.from_pretrained(HERE / "models" / name, dtype=torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def text(pipeline):
    ids = pipeline.tokenizer(
        PROMPTS, padding="max_length", max_length=77, truncation=True, return_tensors="pt").input_ids
    embeddings = pipeline.text_encoder(ids, attention_mask=None)[0]
    return {"input_ids": ids.to(torch.int32), "embeddings": embeddings}


def unet(pipeline, embeddings):
    generator = torch.Generator().manual_seed(11)
    tensors = {}

    def case(name, size, timesteps, embeddings):
        latents = torch.randn((len(timesteps), 4, *size), generator=generator)
        tensors[f"{name}.latents"] = latents
        tensors[f"{name}.timesteps"] = torch.tensor(timesteps)
        tensors[f"{name}.embeddings"] = embeddings
        tensors[f"{name}.output"] = pipeline.unet(
            latents, tensors[f"{name}.timesteps"], encoder_hidden_states=embeddings)[0]

    for name, size in LATENT_SIZES.items():
        case(name, size, [981.0], embeddings[1:2])
    case("first-timestep", (8, 8), [1.0], embeddings[1:2])
    case("fractional-timestep", (8, 8), [946.2632], embeddings[1:2])
    case("batch", (8, 12), [501.0, 501.0], embeddings[[0, 3]])
    return tensors


def vae(pipeline):
    generator = torch.Generator().manual_seed(12)
    tensors = {}
    for name, (height, width) in {"square": (4, 4), "wide": (4, 7)}.items():
        latents = torch.randn((1, 4, height, width), generator=generator)
        tensors[f"{name}.latents"] = latents
        tensors[f"{name}.image"] = pipeline.vae.decode(latents).sample
        image = torch.rand((1, 3, 8 * height, 8 * width), generator=generator) * 2 - 1
        moments = pipeline.vae.encode(image).latent_dist
        tensors[f"{name}.encoder-image"] = image
        tensors[f"{name}.mean"] = moments.mean
        tensors[f"{name}.log-variance"] = moments.logvar
    return tensors


if __name__ == "__main__":
    for model in ["tiny-sd1", "tiny-sd2"]:
        pipeline = load(model)
        output = HERE / "networks" / model
        texts = text(pipeline)
        save(Path(f"{output}-text.safetensors"), texts, prompts=PROMPTS)
        save(Path(f"{output}-unet.safetensors"), unet(pipeline, texts["embeddings"]))
        save(Path(f"{output}-vae.safetensors"), vae(pipeline))
