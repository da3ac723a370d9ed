"""Stage four: the U-Net learns to denoise latents, by captions; the text encoder learns on, slower."""

import numpy as np
import torch
from diffusers import UNet2DConditionModel
from transformers import CLIPTokenizer

import loop
from foretell import WIDTH, chosen_and_worded, new_text_encoder
from schedule import scheduler

BATCH = 32
SEED = 3
PEAK_RATE = 1e-3
TEXT_ENCODER_RATE = 0.1  # of the U-Net's
# Nearly clean latents would otherwise ask for detail that nobody sees.
MOST_SIGNAL_TO_NOISE = 5


def new_unet():
    return UNet2DConditionModel(
        sample_size=16, in_channels=4, out_channels=4, layers_per_block=1,
        block_out_channels=(64, 128, 256), attention_head_dim=4, cross_attention_dim=WIDTH,
        down_block_types=("CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"))


def batch(step, latents, tokenizer):
    """Which latents, which wording, which noise: a pure function of the step."""
    chosen, tokens = chosen_and_worded(step, BATCH, tokenizer)
    generator = torch.Generator().manual_seed(step)
    clean = latents[chosen]
    noise = torch.randn(clean.shape, generator=generator)
    # One time from each of BATCH equal spans: the loss then varies less.
    spans = (torch.arange(BATCH) + torch.rand(BATCH, generator=generator)) / BATCH
    return clean, noise, (spans * 1000).long(), tokens


def loss_of(unet, words, clean, noise, times, noising):
    noisy = noising.add_noise(clean, noise, times)
    target = noising.get_velocity(clean, noise, times)
    kept = noising.alphas_cumprod[times]
    weight = ((MOST_SIGNAL_TO_NOISE + 1) / (kept / (1 - kept) + 1)).clamp(max=1)
    error = (unet(noisy, times, words).sample - target).square().mean((1, 2, 3))
    return (weight * error).mean()


def train(state_path, minutes, latents, text_encoder, words, log, on_save):
    torch.manual_seed(SEED)
    tokenizer = CLIPTokenizer.from_pretrained(words)
    networks = torch.nn.ModuleDict({"unet": new_unet(), "text_encoder": text_encoder.requires_grad_(True)})
    optimizer = torch.optim.AdamW([
        {"params": networks["unet"].parameters(), "scale": 1},
        {"params": networks["text_encoder"].parameters(), "scale": TEXT_ENCODER_RATE},
    ], PEAK_RATE, (0.9, 0.99), weight_decay=1e-2, fused=True)
    noising = scheduler("training")

    def loss_at(step, progress):
        clean, noise, times, tokens = batch(step, latents, tokenizer)
        described = networks["text_encoder"](tokens)[0]
        loss = loss_of(networks["unet"], described, clean, noise, times, noising)
        return loss, loss

    return averaged(loop.train("diffusion", networks, optimizer, loss_at, minutes, state_path, PEAK_RATE, 0.999, log,
                               on_save=lambda average: on_save(*averaged(average))))


def averaged(average):
    """The U-Net and the text encoder."""
    networks = torch.nn.ModuleDict({"unet": new_unet(), "text_encoder": new_text_encoder()})
    networks.load_state_dict(average.values)
    return networks["unet"].eval(), networks["text_encoder"].eval()
