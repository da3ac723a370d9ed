"""Stage three: text encoder and U-Net learn to denoise latents, by captions."""

import numpy as np
import torch
from diffusers import UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

import clock
from captions import caption
from latents import POOL, SEED
from scenes import scene
from schedule import scheduler
from tokenizer import LONGEST, VOCABULARY

TEXT_WIDTH = 128
BATCH = 16
PEAK_RATE = 6e-4
DROPPED_CAPTIONS = 0.1
# Nearly clean latents would otherwise ask for detail that nobody sees.
MOST_SIGNAL_TO_NOISE = 5


def new_text_encoder():
    return CLIPTextModel(CLIPTextConfig(
        vocab_size=VOCABULARY, hidden_size=TEXT_WIDTH, intermediate_size=4 * TEXT_WIDTH,
        projection_dim=TEXT_WIDTH, num_hidden_layers=3, num_attention_heads=4,
        max_position_embeddings=LONGEST, bos_token_id=VOCABULARY - 2,
        eos_token_id=VOCABULARY - 1, pad_token_id=VOCABULARY - 1))


def new_unet():
    return UNet2DConditionModel(
        sample_size=16, in_channels=4, out_channels=4, layers_per_block=1,
        block_out_channels=(64, 128, 256), attention_head_dim=4, cross_attention_dim=TEXT_WIDTH,
        down_block_types=("CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"))


class Denoiser(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.text_encoder, self.unet = new_text_encoder(), new_unet()

    def forward(self, noisy, times, tokens):
        words = self.text_encoder(tokens)[0]
        return self.unet(noisy, times, words).sample


def batch(step, latents, tokenizer):
    """Which latents, which wording, which noise: a pure function of the step."""
    epoch, place = divmod(step * BATCH, POOL)
    order = np.random.default_rng((SEED, epoch, 3)).permutation(POOL)
    chosen = order[place:place + BATCH]
    texts = []
    for index in chosen:
        rng = np.random.default_rng((SEED, step, int(index)))
        dropped = rng.random() < DROPPED_CAPTIONS
        texts.append("" if dropped else caption(scene(SEED, int(index)), rng))
    tokens = tokenizer(texts, padding="max_length", max_length=LONGEST, truncation=True,
                       return_tensors="pt").input_ids
    generator = torch.Generator().manual_seed(step)
    clean = latents[torch.from_numpy(chosen)]
    noise = torch.randn(clean.shape, generator=generator)
    # One time from each of BATCH equal spans: the loss then varies less.
    spans = (torch.arange(BATCH) + torch.rand(BATCH, generator=generator)) / BATCH
    times = (spans * 1000).long()
    return clean, noise, times, tokens


def loss_of(model, clean, noise, times, tokens, noising):
    noisy = noising.add_noise(clean, noise, times)
    target = noising.get_velocity(clean, noise, times)
    kept = noising.alphas_cumprod[times]
    weight = ((MOST_SIGNAL_TO_NOISE + 1) / (kept / (1 - kept) + 1)).clamp(max=1)
    error = (model(noisy, times, tokens) - target).square().mean((1, 2, 3))
    return (weight * error).mean()


def train(state_path, minutes, latents, words, log, on_save):
    tokenizer = CLIPTokenizer.from_pretrained(words)
    torch.manual_seed(SEED)
    model, noising = Denoiser(), scheduler("training")
    optimizer = torch.optim.AdamW(model.parameters(), PEAK_RATE, (0.9, 0.99), weight_decay=1e-2)
    average, step, timer = clock.Average(model), 0, clock.Clock(minutes)
    state = clock.load(state_path)
    if state:
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        average.values, step = state["average"], state["step"]
        timer = clock.Clock(minutes, state["seconds"])

    def save():
        clock.save({"model": model.state_dict(), "optimizer": optimizer.state_dict(), "step": step,
                    "average": average.values, "seconds": timer.spent}, state_path)
        on_save(averaged(average))

    recent = []
    while not timer.done():
        clock.set_learning_rate(optimizer, clock.learning_rate(PEAK_RATE, step, timer.progress()))
        loss = loss_of(model, *batch(step, latents, tokenizer), noising)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        average.update(model, step, most=0.999)
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
    model = Denoiser()
    model.load_state_dict(average.values)
    return model.eval()
