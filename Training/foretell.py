"""Stage three: the text encoder learns to foretell, from a caption, the picture's latent.

The positions after the caption know all of it; each of them foretells one region, the mean
of what the caption allows. The denoiser then finds in the text what belongs where, instead
of having to learn each object's looks through its own attention.
"""

import numpy as np
import torch
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

import clock
from captions import caption
from latents import POOL, SEED
from scenes import scene
from tokenizer import LONGEST, VOCABULARY

WIDTH = 128
BATCH = 32
PEAK_RATE = 2e-3
DROPPED_CAPTIONS = 0.1
REGIONS = 16  # four by four, of 4 × 4 latent pixels each


def new_text_encoder():
    return CLIPTextModel(CLIPTextConfig(
        vocab_size=VOCABULARY, hidden_size=WIDTH, intermediate_size=4 * WIDTH,
        projection_dim=WIDTH, num_hidden_layers=3, num_attention_heads=4,
        max_position_embeddings=LONGEST, bos_token_id=VOCABULARY - 2,
        eos_token_id=VOCABULARY - 1, pad_token_id=VOCABULARY - 1))


def chosen_and_worded(step, count, tokenizer):
    """Scenes of the pool and a wording for each: a pure function of the step."""
    epoch, place = divmod(step * count, POOL)
    chosen = np.random.default_rng((SEED, epoch, 3)).permutation(POOL)[place:place + count]
    texts = []
    for index in chosen:
        rng = np.random.default_rng((SEED, step, int(index)))
        dropped = rng.random() < DROPPED_CAPTIONS
        texts.append("" if dropped else caption(scene(SEED, int(index)), rng))
    tokens = tokenizer(texts, padding="max_length", max_length=LONGEST, truncation=True,
                       return_tensors="pt").input_ids
    return torch.from_numpy(chosen), tokens


def regions(latents):
    """N × 4 × 16 × 16 as N × regions × values."""
    cut = latents.unflatten(3, (4, 4)).unflatten(2, (4, 4))
    return cut.permute(0, 2, 4, 1, 3, 5).flatten(3).flatten(1, 2)


def loss_of(encoder, reading, tokens, latents):
    foretold = reading(encoder(tokens)[0])
    wanted = regions(latents)[:, torch.arange(LONGEST) % REGIONS]
    after = tokens == VOCABULARY - 1
    return (foretold - wanted).square().mean(-1)[after].mean()


def train(state_path, minutes, latents, words, log):
    torch.manual_seed(SEED)
    tokenizer = CLIPTokenizer.from_pretrained(words)
    model = torch.nn.ModuleList([new_text_encoder(), torch.nn.Linear(WIDTH, 64)])
    optimizer = torch.optim.AdamW(model.parameters(), PEAK_RATE, (0.9, 0.99), weight_decay=1e-3)
    step, timer = 0, clock.Clock(minutes)
    state = clock.load(state_path)
    if state:
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        step, timer = state["step"], clock.Clock(minutes, state["seconds"])
    recent = []
    # Once finished it stays: the denoiser goes on from it.
    while not state and not timer.done():
        clock.set_learning_rate(optimizer, clock.learning_rate(PEAK_RATE, step, timer.progress()))
        chosen, tokens = chosen_and_worded(step, BATCH, tokenizer)
        loss = loss_of(*model, tokens, latents[chosen])
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        step += 1
        timer.tick()
        recent.append(loss.item())
        if step % 50 == 0:
            log(f"text encoder step {step} loss {np.mean(recent):.4f} {timer.progress():.0%}")
            recent = []
    clock.save({"model": model.state_dict(), "optimizer": optimizer.state_dict(), "step": step,
                "seconds": timer.spent}, state_path)
    return model[0].eval().requires_grad_(False)
