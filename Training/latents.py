"""Stage two: a pool of scenes encoded once, so that diffusion trains on latents alone."""

import os

import torch

import clock
from autoencoder import to_tensor
from scenes import draw, scene

SEED = 2
POOL = 16000
BATCH = 32


@torch.no_grad()
def encode_pool(autoencoder, path, log):
    """The pool's latents, scaled to unit deviation, and the scale that did it."""
    if os.path.exists(path):
        kept = clock.load(path)
        return kept["latents"].float(), kept["scale"]
    parts = []
    for start in range(0, POOL, BATCH):
        images = to_tensor([draw(scene(SEED, i)) for i in range(start, start + BATCH)])
        parts.append(autoencoder.encode(images).latent_dist.mean)
        if start % (BATCH * 50) == 0:
            log(f"encoded {start} of {POOL}")
    latents = torch.cat(parts)
    scale = round(1 / latents.std().item(), 5)
    latents = (latents * scale).half()
    clock.save({"latents": latents, "scale": scale}, path)
    return latents.float(), scale
