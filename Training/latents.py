"""Stage two: a pool of scenes encoded once, so that diffusion trains on latents alone."""

import torch

import clock
from autoencoder import to_tensor
from scenes import draw, scene

SEED = 2
POOL = 8192
BATCH = 32


@torch.no_grad()
def encode_pool(autoencoder, path, log):
    """The pool's latents, scaled to unit deviation, and the scale that did it.

    A pool kept from before only grows: its scale is what the denoiser learnt with.
    """
    kept = clock.load(path) or {"latents": torch.empty(0), "scale": None}
    latents, scale = kept["latents"].float(), kept["scale"]
    if len(latents) >= POOL:
        return latents[:POOL], scale
    parts = []
    for start in range(len(latents), POOL, BATCH):
        images = to_tensor([draw(scene(SEED, i)) for i in range(start, start + BATCH)])
        parts.append(autoencoder.encode(images).latent_dist.mean)
        if start % (BATCH * 16) == 0:
            log(f"encoded {start} of {POOL}")
    fresh = torch.cat(parts)
    scale = scale or round(1 / fresh.std().item(), 5)
    latents = torch.cat([latents, fresh * scale])
    clock.save({"latents": latents.half(), "scale": scale}, path)
    return latents, scale
