"""A small decoder for the demo model, as TAESD's is for Stable Diffusion, taught by the model's own:
python Training/tiny_decoder.py --state DIR --model Models/demo

It learns the picture that the large one makes of latents. It goes into the model's folder as `taesd_decoder.safetensors`,
with the names that TAESD's author has; repeat the command with more minutes to train it further.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL, AutoencoderTiny
from safetensors.torch import save_file

import clock
import loop
from autoencoder import edges, to_tensor
from scenes import draw, scene

SEED = 6
POOL = 1536
BATCH = 4
CHANNELS = (32, 32, 32, 32)
PEAK_RATE = 2e-3
# The denoiser's latents are never quite clean, and guidance makes them strong.
NOISE = 0.05
STRENGTHS = (0.9, 1.25)


def log(message):
    print(time.strftime("%H:%M:%S"), message, flush=True)


@torch.no_grad()
def lessons(teacher, path):
    """Disturbed latents of scenes, and the pictures that the teacher makes of them."""
    known = clock.load(path)
    if known:
        return known
    scale = teacher.config.scaling_factor
    latents, decoded = [], []
    random = torch.Generator().manual_seed(SEED)
    for start in range(0, POOL, BATCH):
        images = to_tensor([draw(scene(SEED, index)) for index in range(start, start + BATCH)])
        means = teacher.encode(images).latent_dist.mean * scale
        low, high = STRENGTHS
        strengths = low + (high - low) * torch.rand(BATCH, 1, 1, 1, generator=random)
        latents.append(strengths * means + NOISE * torch.randn(means.shape, generator=random))
        pictures = teacher.decode(latents[-1] / scale).sample.clamp(-1, 1)
        decoded.append(((pictures + 1) * 127.5).round().to(torch.uint8))
        if start % (BATCH * 64) == 0:
            log(f"the teacher's pictures: {start} of {POOL}")
    made = {"latents": torch.cat(latents), "decoded": torch.cat(decoded)}
    clock.save(made, path)
    return made


def train(state_path, minutes, pool):
    torch.manual_seed(SEED)
    model = AutoencoderTiny(decoder_block_out_channels=CHANNELS).decoder.to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(model.parameters(), PEAK_RATE, (0.9, 0.99), weight_decay=1e-4)

    def loss_at(step, progress):
        chosen = torch.from_numpy(np.random.default_rng((SEED, step)).integers(POOL, size=BATCH))
        wanted = pool["decoded"][chosen].float() / 127.5 - 1
        latents = pool["latents"][chosen].contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16):
            decoded = model(latents).float()
        far = (decoded - wanted).abs().mean()
        return far + 0.5 * edges(decoded, wanted), far

    return loop.train("small decoder", model, optimizer, loss_at, minutes, state_path, PEAK_RATE, 0.998, log)


def authors_name(name):
    """`layers.0.weight` to `1.weight`: its author counts the layer that limits the latents."""
    _, layer, rest = name.split(".", 2)
    return f"{int(layer) + 1}.{rest}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--state", type=Path, required=True, help="folder that keeps what was learnt")
    parser.add_argument("--model", type=Path, required=True, help="the model's folder, in diffusers' layout")
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--threads", type=int, default=2)
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    asked.state.mkdir(parents=True, exist_ok=True)
    teacher = AutoencoderKL.from_pretrained(asked.model / "vae", torch_dtype=torch.float32).eval()
    pool = lessons(teacher, asked.state / "lessons.pt")
    weights = train(asked.state / "tiny_decoder.pt", asked.minutes, pool).values
    save_file({authors_name(name): value.half().contiguous() for name, value in weights.items()},
              asked.model / "taesd_decoder.safetensors", metadata={"format": "pt"})
    log("done")


if __name__ == "__main__":
    main()
