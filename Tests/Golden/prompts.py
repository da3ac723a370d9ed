"""Writes prompts/tiny-sd1.safetensors: the embeddings of weighted prompts of several chunks, in f32, from transformers'
tokenizer and text encoder with AUTOMATIC1111's rules, written from their description; and prompts/tiny-sd1.json.

    python Tests/Golden/prompts.py
"""

import json

import torch

from networks import HERE, load, save

LONG = "a bowl of fruit in the light of the window, " * 12
# What is typed, and what it comes to: texts with weights, None for a break.
CASES = {
    "plain": ("a red apple on a table", [("a red apple on a table", 1.0)]),
    "stronger": ("a (red:1.4) apple", [("a ", 1.0), ("red", 1.4), (" apple", 1.0)]),
    "nested": ("a ((red)) [apple]", [("a ", 1.0), ("red", 1.21), (" ", 1.0), ("apple", 1 / 1.1)]),
    "break": ("a cat BREAK a (dog)", [("a cat", 1.0), None, ("a ", 1.0), ("dog", 1.1)]),
    "long": (LONG + "(end:0.5)", [(LONG, 1.0), ("end", 0.5)]),
}


def chunks(tokenizer, pieces):
    """75 tokens each; a full one ends at a comma of its last 20 tokens, if there is one."""
    comma = tokenizer(",", add_special_tokens=False).input_ids[0]
    made, open_, last = [], [], None
    for piece in pieces:
        if piece is None:
            made.append(open_)
            open_, last = [], None
            continue
        for token in tokenizer(piece[0], add_special_tokens=False).input_ids:
            if token == comma:
                last = len(open_)
            elif len(open_) == 75 and last is not None and len(open_) - last <= 20:
                made.append(open_[: last + 1])
                open_, last = open_[last + 1 :], None
            if len(open_) == 75:
                made.append(open_)
                open_, last = [], None
            open_.append((token, piece[1]))
    if open_ or not made:
        made.append(open_)
    return made


def encode(pipeline, pieces, skip=1):
    tokenizer, encoder = pipeline.tokenizer, pipeline.text_encoder
    end = tokenizer.eos_token_id
    parts = []
    for chunk in chunks(tokenizer, pieces):
        fill = 75 - len(chunk)
        ids = [tokenizer.bos_token_id] + [token for token, _ in chunk] + [end] * (fill + 1)
        weights = torch.tensor([1.0] + [weight for _, weight in chunk] + [1.0] * (fill + 1))
        output = encoder(torch.tensor([ids]), output_hidden_states=True)
        model = getattr(encoder, "text_model", encoder)
        embeddings = model.final_layer_norm(output.hidden_states[-skip])
        weighted = embeddings * weights[None, :, None]
        parts.append(weighted * (embeddings.mean() / weighted.mean()))
    return torch.cat(parts, dim=1)[0]


if __name__ == "__main__":
    pipeline = load("tiny-sd1")
    tensors = {name: encode(pipeline, pieces) for name, (_, pieces) in CASES.items()}
    tensors["skip"] = encode(pipeline, CASES["plain"][1], skip=2)
    save(HERE / "prompts" / "tiny-sd1.safetensors", tensors)
    (HERE / "prompts" / "tiny-sd1.json").write_text(
        json.dumps({name: prompt for name, (prompt, _) in CASES.items()}, indent=1) + "\n")
