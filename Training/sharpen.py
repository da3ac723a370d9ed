"""Stage five: the decoder alone learns finer detail; the latents stay what they are."""

import numpy as np
import torch

import clock
from autoencoder import new_autoencoder, slopes, to_tensor
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
    average, step, timer = clock.Average(model), 0, clock.Clock(minutes)
    if state:
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        average.values, step = state["average"], state["step"]
        timer = clock.Clock(minutes, state["seconds"])

    def save():
        clock.save({"model": model.state_dict(), "optimizer": optimizer.state_dict(), "step": step,
                    "average": average.values, "seconds": timer.spent}, state_path)

    recent = []
    while not timer.done():
        clock.set_learning_rate(optimizer, clock.learning_rate(PEAK_RATE, step, timer.progress()))
        scaled, images = batch(step, latents)
        decoded = model.decode(scaled / scale).sample
        far = (decoded - images).abs().mean()
        edges = sum((a - b).abs().mean() for a, b in zip(slopes(decoded), slopes(images)))
        optimizer.zero_grad()
        (far + 0.5 * edges).backward()
        torch.nn.utils.clip_grad_norm_(decoding_parameters(model), 1.0)
        optimizer.step()
        average.update(model, step, most=0.998)
        step += 1
        timer.tick()
        recent.append(far.item())
        if step % 50 == 0:
            log(f"decoder step {step} L1 {np.mean(recent):.4f} {timer.progress():.0%}")
            recent = []
        if timer.save_is_due():
            save()
    save()
    model.load_state_dict(average.values)
    return model.eval()
