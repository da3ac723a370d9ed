"""Stage five: the decoder alone learns finer detail; the latents stay what they are."""

import numpy as np
import torch

import clock
import loop
from autoencoder import edges, new_autoencoder, to_tensor
from latents import POOL, SEED
from scenes import draw, scene

BATCH = 4
PEAK_RATE = 8e-4
# The denoiser's latents are never quite clean.
NOISE = 0.05


def decoding_parameters(model):
    return [*model.post_quant_conv.parameters(), *model.decoder.parameters()]


def batch(step, latents):
    rng = np.random.default_rng((SEED, step, 5))
    chosen = rng.integers(POOL, size=BATCH)
    noise = rng.standard_normal((BATCH, *latents.shape[1:]), np.float32)
    images = to_tensor([draw(scene(SEED, int(index))) for index in chosen])
    return latents[torch.from_numpy(chosen)] + NOISE * torch.from_numpy(noise), images


def train(state_path, minutes, autoencoder, latents, scale, log):
    """The autoencoder with its decoder trained on; its encoder is left alone."""
    model = new_autoencoder()
    model.load_state_dict(autoencoder.state_dict())
    state = clock.load(state_path)
    if not state and minutes <= 0:
        return model.eval()
    optimizer = torch.optim.AdamW(decoding_parameters(model), PEAK_RATE, (0.9, 0.99), weight_decay=1e-4)

    def loss_at(step, progress):
        scaled, images = batch(step, latents)
        decoded = model.decode(scaled / scale).sample
        far = (decoded - images).abs().mean()
        return far + 0.5 * edges(decoded, images), far

    average = loop.train("decoder", model, optimizer, loss_at, minutes, state_path, PEAK_RATE, 0.998, log)
    model.load_state_dict(average.values)
    return model.eval()
