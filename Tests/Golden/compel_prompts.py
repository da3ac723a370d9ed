"""Writes prompts/compel.safetensors: the embeddings that Compel makes of prompts in its syntax, in f32, with the tiny
model; and prompts/compel.json: the prompts, and how Compel reads more of them.

    python Tests/Golden/compel_prompts.py
"""

import json

import torch
from compel import Compel
from compel.prompt_parser import Blend, PromptParser

from networks import HERE, load, save

LONG = "a bowl of fruit in the light of the window, and a jug of water. " * 6
ENCODED = {
    "stronger": "a red++ apple",
    "weaker": "a red-- apple on a (wooden table)0.5",
    "nested": "((a red)+ apple)1.3, fresh",
    "gone": "a (red)0 apple",
    "blend": '("a red apple", "a blue fish").blend(0.7, 0.3)',
    "unnormalized": '("a red apple", "a blue fish++").blend(1, -0.5, no_normalize)',
    "and": '("a red apple", "a blue- fish").and(1, 0.6)',
    "long": LONG + "(end)0.5 of++ it",
    "longblend": f'("{LONG}", "a blue- fish").blend(0.7, 0.3)',
}
READ = list(ENCODED.values())[:7] + [
    "",
    "   ",
    "plain words, with commas.and dots",
    "well-known c++ and c-- but not - alone + or",
    "a (b (c)- d)1.5 e",
    "a (unbalanced",
    "un)balanced b++",
    '"quoted words"++ and "more"0.7',
    '"with \\"quotes\\" in"1.2',
    "word.attend(1.4) (two words).attend(++) x",
    "(escaped \\(brackets\\) in)+",
    "escaped\\+ \\(x\\)",
    "(a = b)++ c",
    "(a: b; c/d)++",
    "()++ x",
    "(a)++.5",
    "(a)1.5.5",
    "a,b,(c,d)-",
    "(a b)++(c d)--",
    "(a, b).blend(1, 2) ",
    "(a, b)",
    '("x y", z).blend()',
    '("a (b)++", "c, d e. f").and()',
    "-5 degrees -word +plus",
    "(word-)- (a- b+)1.1",
]


def read(prompt):
    """The parts: each a list of (share, fragments), and a weight."""
    conjunction = PromptParser().parse_conjunction(prompt)
    parts = []
    for part, weight in zip(conjunction.prompts, conjunction.weights):
        if isinstance(part, Blend):
            total = sum(part.weights) if part.normalize_weights else 1
            terms = list(zip([share / total for share in part.weights], part.prompts))
        else:
            terms = [(1.0, part)]
        parts.append(
            {
                "weight": weight,
                "terms": [
                    {
                        "share": share,
                        "fragments": [{"text": f.text, "weight": f.weight} for f in prompt.children],
                    }
                    for share, prompt in terms
                ],
            }
        )
    return parts


if __name__ == "__main__":
    pipeline = load("tiny-sd1")
    compel = Compel(
        tokenizer=pipeline.tokenizer, text_encoder=pipeline.text_encoder, truncate_long_prompts=False
    )
    with torch.no_grad():
        tensors = {name: compel(prompt)[0].contiguous() for name, prompt in ENCODED.items()}
    save(HERE / "prompts" / "compel.safetensors", tensors)
    record = {"encoded": ENCODED, "read": [{"prompt": p, "parts": read(p)} for p in READ]}
    (HERE / "prompts" / "compel.json").write_text(json.dumps(record, indent=1) + "\n")
