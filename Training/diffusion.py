"""Stage four: the U-Net learns to denoise latents, by captions."""

import numpy as np
import torch
from diffusers import UNet2DConditionModel
from transformers import CLIPTokenizer

import clock
from foretell import WIDTH, chosen_and_worded
from schedule import scheduler

BATCH = 16
SEED = 3
PEAK_RATE = 1e-3
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
    unet, noising = new_unet(), scheduler("training")
    optimizer = torch.optim.AdamW(unet.parameters(), PEAK_RATE, (0.9, 0.99), weight_decay=1e-2)
    average, step, timer = clock.Average(unet), 0, clock.Clock(minutes)
    state = clock.load(state_path)
    if state:
        unet.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        average.values, step = state["average"], state["step"]
        timer = clock.Clock(minutes, state["seconds"])

    def save():
        clock.save({"model": unet.state_dict(), "optimizer": optimizer.state_dict(), "step": step,
                    "average": average.values, "seconds": timer.spent}, state_path)
        on_save(averaged(average))

    recent = []
    while not timer.done():
        clock.set_learning_rate(optimizer, clock.learning_rate(PEAK_RATE, step, timer.progress()))
        clean, noise, times, tokens = batch(step, latents, tokenizer)
        with torch.no_grad():
            described = text_encoder(tokens)[0]
        loss = loss_of(unet, described, clean, noise, times, noising)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(unet.parameters(), 1.0)
        optimizer.step()
        average.update(unet, step, most=0.999)
        step += 1
        timer.tick()
        recent.append(loss.item())
        if step % 50 == 0:
            log(f"diffusion step {step} loss {np.mean(recent):.4f} {timer.progress():.0%}")
            recent = []
        if timer.save_is_due():
            save()
    save()
    return averaged(average)


def averaged(average):
    unet = new_unet()
    unet.load_state_dict(average.values)
    return unet.eval()
