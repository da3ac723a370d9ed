"""Stage one: the KL autoencoder, 128 × 128 × 3 to 16 × 16 × 4 and back."""

import numpy as np
import torch
import torch.nn.functional as functional
from diffusers import AutoencoderKL

import loop
from scenes import SIDE, centres, draw, scene

SEED = 1
CROP = 64
# Crops around the object teach the most for the time; whole pictures then settle
# the normalisation layers' statistics and the attention over all positions.
SHARE_OF_CROPS = 0.7
PEAK_RATE = 1.5e-3
KL_WEIGHT = 1e-5
# At first three channels are led towards a small copy of the picture: without it
# the colours, as opposed to the brightness, take very long to get through.
SHARE_OF_LEADING = 0.15


def new_autoencoder():
    # Few groups: narrow ones at full size would normalise a flat colour away.
    model = AutoencoderKL(
        block_out_channels=(32, 32, 64, 128), layers_per_block=1, norm_num_groups=4,
        down_block_types=["DownEncoderBlock2D"] * 4, up_block_types=["UpDecoderBlock2D"] * 4,
        latent_channels=4, sample_size=SIDE)
    with torch.no_grad():
        model.quant_conv.weight[4:] *= 0.1
        model.quant_conv.bias[4:] = -5
    return model


def to_tensor(pictures):
    array = np.stack(pictures).astype(np.float32) / 127.5 - 1
    return torch.from_numpy(array.transpose(0, 3, 1, 2).copy())


def crop_near_object(picture, made, rng):
    x, y = centres(made.layout)[0]
    x, y = (int(np.clip(at - CROP / 2 + rng.integers(-36, 37), 0, SIDE - CROP)) for at in (x, y))
    return picture[y:y + CROP, x:x + CROP]


def pictures(step, crops):
    count = 8 if crops else 4
    chosen = []
    for number in range(count):
        index = step * 8 + number
        made = scene(SEED, index)
        picture = draw(made)
        if crops:
            picture = crop_near_object(picture, made, np.random.default_rng((SEED, index, 1)))
        chosen.append(picture)
    return to_tensor(chosen)


def slopes(images):
    return images[..., :, 1:] - images[..., :, :-1], images[..., 1:, :] - images[..., :-1, :]


def edges(first, second):
    """How far two pictures' slopes are from each other."""
    return sum((a - b).abs().mean() for a, b in zip(slopes(first), slopes(second)))


def loss_of(model, images, progress):
    posterior = model.encode(images).latent_dist
    decoded = model.decode(posterior.sample()).sample
    far = (decoded - images).abs().mean()
    loss = far + 0.5 * edges(decoded, images) + KL_WEIGHT * posterior.kl().mean() / posterior.mean[0].numel()
    leading = max(0.0, 1 - progress / SHARE_OF_LEADING)
    if leading:
        copy = 2 * functional.avg_pool2d(images, 8)
        loss = loss + leading * (posterior.mean[:, :3] - copy).square().mean()
    return loss, far


def train(state_path, minutes, log):
    torch.manual_seed(SEED)
    model = new_autoencoder()
    optimizer = torch.optim.AdamW(model.parameters(), PEAK_RATE, (0.9, 0.99), weight_decay=1e-4)

    def loss_at(step, progress):
        return loss_of(model, pictures(step, progress < SHARE_OF_CROPS), progress)

    average = loop.train("autoencoder", model, optimizer, loss_at, minutes, state_path, PEAK_RATE, 0.998, log)
    model.load_state_dict(average.values)
    return model.eval()
