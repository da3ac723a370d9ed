"""The model's own byte-level BPE vocabulary, in the files that CLIP's tokenizer reads."""

import json
from collections import Counter
from pathlib import Path

import regex

from captions import sample_captions
from objects import annotations

START, END = "<|startoftext|>", "<|endoftext|>"
VOCABULARY = 2048
LONGEST = 77
# As CLIP splits text into words.
WORDS = regex.compile(r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+")


def byte_symbols():
    """A printable character for each byte, as GPT-2 and CLIP choose them."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    symbols = {byte: chr(byte) for byte in printable}
    for byte in range(256):
        if byte not in symbols:
            symbols[byte] = chr(256 + len(symbols) - len(printable))
    return symbols


def word_counts():
    """Words of training captions, and of every CLDR name so that others split sensibly."""
    counts = Counter()
    for text in sample_captions(20000):
        counts.update(WORDS.findall(text.lower()))
    for name, keywords in annotations().values():
        for text in [name, *keywords]:
            counts.update(WORDS.findall(text.lower()))
    return counts


def learn_merges(counts, wanted):
    symbols = byte_symbols()
    words = []
    for word, count in sorted(counts.items()):
        parts = [symbols[byte] for byte in word.encode()]
        words.append((parts[:-1] + [parts[-1] + "</w>"], count))
    merges = []
    while len(merges) < wanted:
        pairs = Counter()
        for parts, count in words:
            for pair in zip(parts, parts[1:]):
                pairs[pair] += count
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        merges.append(best)
        for parts, _ in words:
            place = 0
            while place < len(parts) - 1:
                if (parts[place], parts[place + 1]) == best:
                    parts[place:place + 2] = ["".join(best)]
                place += 1
    return merges


def write_tokenizer(folder):
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    letters = list(byte_symbols().values())
    base = letters + [letter + "</w>" for letter in letters]
    merges = learn_merges(word_counts(), VOCABULARY - len(base) - 2)
    tokens = base + ["".join(pair) for pair in merges] + [START, END]
    assert len(set(tokens)) == VOCABULARY
    vocabulary = {token: number for number, token in enumerate(tokens)}
    lines = ["#version: 0.2", *(" ".join(pair) for pair in merges)]
    (folder / "merges.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    special = {"bos_token": START, "eos_token": END, "unk_token": END, "pad_token": END}
    config = {"add_prefix_space": False, "do_lower_case": True, "errors": "replace",
              "model_max_length": LONGEST, "tokenizer_class": "CLIPTokenizer", **special}
    for name, content in (("vocab.json", vocabulary), ("special_tokens_map.json", special),
                          ("tokenizer_config.json", config)):
        text = json.dumps(content, ensure_ascii=False, indent=None if name == "vocab.json" else 2)
        (folder / name).write_text(text + "\n", encoding="utf-8")
