"""Makes tokens/: a small tokenizer of CLIP's form in both forms of its files, and the ids of many prompts.

The vocabulary is every byte's two symbols, the merges that byte-pair encoding learns from the words below, and
the special tokens. expected.json lists what CLIPTokenizer of transformers gives: the prompt's ids, and the ids
padded to 77 with the text of what was cut.
"""

import collections
import json
import pathlib
import random
import shutil

from transformers import CLIPTokenizer

FOLDER = pathlib.Path(__file__).parent / "tokens"
MERGES = 400
CORPUS = """
a photo of an astronaut riding a horse on mars, the quick brown fox jumps over the lazy dog. it's they're we've
i'm you'll she'd don't highly detailed digital painting, artstation, concept art, sharp focus, illustration, oil
on canvas by rembrandt, a red apple on a table, a cat and a dog sitting in the snow under the northern lights,
beautiful landscape with mountains and a river at sunset, 4k, 8k, high resolution, cinematic lighting, portrait
of a woman with green eyes, a castle in the clouds, watercolor, low quality, blurry, bad anatomy, extra fingers,
wide angle photograph of a street in tokyo at night with neon signs, café naïve résumé über straße, привет мир,
ωραίο τοπίο, 日本の山 富士山 東京, 한국어 각각, 👩‍👩‍👧‍👦 👍🏽 🇩🇪 ❤️ !!! ... --- ??? :) </w> <| |> shalom שלום مرحبا नमस्ते
"""


def byte_symbols():
    printed = [*range(33, 127), *range(161, 173), *range(174, 256)]
    rest = [byte for byte in range(256) if byte not in printed]
    symbols = {byte: chr(byte) for byte in printed}
    symbols.update({byte: chr(256 + index) for index, byte in enumerate(rest)})
    return [symbols[byte] for byte in sorted(symbols)], printed + rest


def learn(words, count):
    merges = []
    while len(merges) < count:
        pairs = collections.Counter()
        for symbols, times in words.items():
            for pair in zip(symbols, symbols[1:]):
                pairs[pair] += times
        best = max(pairs, key=lambda pair: (pairs[pair], pair))
        merges.append(best)
        merged = collections.Counter()
        for symbols, times in words.items():
            result, index = [], 0
            while index < len(symbols):
                if symbols[index : index + 2] == best:
                    result.append("".join(best))
                    index += 2
                else:
                    result.append(symbols[index])
                    index += 1
            merged[tuple(result)] += times
        words = merged
    return merges


def write(path, value):
    path.write_text(json.dumps(value, ensure_ascii=True, indent=1) + "\n", encoding="utf-8")


def tokenizer_files(folder, vocabulary, merges, padding):
    folder.mkdir(parents=True)
    write(folder / "vocab.json", vocabulary)
    lines = ["#version: 0.2", *(" ".join(pair) for pair in merges)]
    (folder / "merges.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")

    def token(content, **more):
        return {"content": content, "lstrip": False, "normalized": True, "rstrip": False, "single_word": False, **more}

    names = {"bos_token": "<|startoftext|>", "eos_token": "<|endoftext|>", "unk_token": "<|endoftext|>"}
    special = {name: token(content) for name, content in names.items()}
    special["pad_token"] = padding
    write(folder / "special_tokens_map.json", special)
    configuration = {name: token(content, __type="AddedToken") for name, content in names.items()}
    configuration |= {"pad_token": padding, "model_max_length": 77, "tokenizer_class": "CLIPTokenizer"}
    write(folder / "tokenizer_config.json", configuration)


def forget_the_run(path):
    """Drops what transformers notes of how the tokenizer was loaded, which differs from machine to machine."""
    configuration = json.loads(path.read_text(encoding="utf-8"))
    for key in ["is_local", "local_files_only"]:
        configuration.pop(key, None)
    path.write_text(json.dumps(configuration, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def prompts():
    fixed = """
    |a photo of a cat|A PHOTO OF A CAT|it's they're we've i'm you'll she'd don't|IT'S THEY'RE|'s's'T 'sam 'really
    |rock'n'roll|’s|'|''|'l 'll 'lll|4k 8K 1024x768|Ⅷ ½ ² ٣ ① 三|x1y2|<|endoftext|>|a <|endoftext|> cat
    |a<|startoftext|>b|<|EndOfText|>|<|STARTOFTEXT|>!!|<|endoftext|>!!|<|endoftext|<|endoftext|>|<| endoftext |>
    |!!! wow ! a!b|hello, world!!!|</w>|a</w>b|👩‍👩‍👧‍👦|👍🏽👍|🇩🇪🇫🇷|❤️|日本の富士山|한국어 각|שלום עולם|مرحبا بالعالم|नमस्ते|straße STRASSE ẞ
    |İstanbul ISTANBUL ı|ΑΣ ΣΑΣ ὈΔΥΣΣΕΎΣ|ﬁ ﬃ ﷺ|Ω Å K|ǅ Ǆ ǆ|ſ|CAFÉ naïve|...---...|a,b.c;d:e|$100 & 50%|@user #tag|http://example.com/?q=1
    """
    result = [part.strip("\n ") for part in fixed.replace("\n    |", "\0").replace("|<|", "\0<|").split("\0")]
    result = [piece for part in result for piece in split_bars(part)]
    result += [
        "", " ", "\n", "\x00", "a\x00b", "\x01\x02\x1f\x7f", "\x1c\x1d\x1e", "a\tb\nc\r\nd\x0be\x0cf",
        "a\u00a0b\u3000c\u2003d\u202fe\u205ff\u1680g\u2028h\u2029i\u0085j", "a\u200bb\u200cc\u200dd\ufeffe\u2060f",
        "\u180e", "e\u0301 \u0301 a\u0323\u0302 a\u0302\u0323", "\uac00\u11a8 \u1100\u1161\u11a8 \u1100\u1161", "\u0344",
        "\u212b \u2126 \u212a", "\u0958 \u0f73 \u0f71\u0f72", "\u0f73\u0f73\u0f75\u0f81", "\u0130\u0301", "\ufb1d \u2adc",
        "\U0001d15e \U0001d7ce \U0001f100", "\U00010400\U00010428", "\ufffd", "\uffff\U0010ffff\ue000",
        "\u0378 \u0888 \U0002fffe", "\u088f \u1c89 \U00011bc0 \U000323b0", "\u202eabc\u202c", "\u2066x\u2069",
        "a\u0301" * 90, "q" * 200, "ab" * 100, "a cat " * 75, "a " * 75, "a " * 76, "a " * 77, "b " * 74 + "naïve👍🏽",
        "é" * 90, "👍🏽" * 40, "!" * 90, "\u0323\u0301" * 30 + "x",
    ]  # fmt: skip
    return result


def split_bars(text):
    return [piece for piece in text.split("\0") if piece] if "<|" in text or "|>" in text else text.split("|")


def random_prompts(count):
    random.seed(1)
    blocks = [(0, 0x7F), (0x80, 0x24F), (0x250, 0x36F), (0x370, 0x52F), (0x590, 0x6FF), (0x900, 0xDFF), (0x1100, 0x11FF),
        (0x1E00, 0x218F), (0x2190, 0x2BFF), (0x3000, 0x30FF), (0xAC00, 0xD7A3), (0xF900, 0xFAFF), (0x1D15E, 0x1D7FF),
        (0x1F300, 0x1FAFF), (0xE0000, 0xE01EF)]  # fmt: skip
    words = CORPUS.split() + ["<|endoftext|>", "<|EndOfText|>", "'S", "\u0301", "\u11a8", "\u200d", "  ", "\n"]

    def piece():
        if random.random() < 0.4:
            return random.choice(words)
        low, high = random.choice(blocks)
        return "".join(chr(random.randint(low, high)) for _ in range(random.randint(1, 4)))

    return ["".join(piece() + random.choice(["", " "]) for _ in range(random.randint(1, 9))) for _ in range(count)]


def main():
    shutil.rmtree(FOLDER, ignore_errors=True)
    symbols, order = byte_symbols()
    first = CLIPTokenizer(vocab={token: index for index, token in enumerate(["<|startoftext|>", "<|endoftext|>"])})
    backend = first.backend_tokenizer
    words = collections.Counter()
    for word, _ in backend.pre_tokenizer.pre_tokenize_str(backend.normalizer.normalize_str(CORPUS)):
        words[(*word[:-1], word[-1] + "</w>")] += 1
    merges = learn(words, MERGES)
    tokens = [symbols[byte] for byte in order]
    tokens += [token + "</w>" for token in tokens]
    tokens += ["".join(pair) for pair in merges]
    tokens += ["<|startoftext|>", "<|endoftext|>"]
    vocabulary = {token: index for index, token in enumerate(tokens)}
    assert len(vocabulary) == len(tokens) == 514 + MERGES

    texts = list(dict.fromkeys(prompts() + random_prompts(100)))
    for name, padding in [("stable-diffusion-1", "<|endoftext|>"), ("stable-diffusion-2", "!")]:
        folder = FOLDER / name
        tokenizer_files(folder, vocabulary, merges, padding)
        tokenizer = CLIPTokenizer.from_pretrained(folder)
        tokenizer.save_pretrained(FOLDER / (name + "-json"))
        forget_the_run(FOLDER / (name + "-json") / "tokenizer_config.json")
        cases = []
        for text in texts if name.endswith("1") else [text for text in texts if "!" in text or "<|" in text]:
            ids = tokenizer(text)["input_ids"]
            padded = tokenizer(text, padding="max_length", max_length=77, truncation=True)["input_ids"]
            case = {"text": text, "ids": ids[1:-1], "decoded": tokenizer.decode(ids[1:-1])}
            if len(ids) > 70 or len(cases) < 4:
                case |= {"padded": padded, "cut": tokenizer.decode(ids[76:-1])}
            cases.append(case)
        (folder / "expected.json").write_text(
            "[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n", encoding="utf-8"
        )
        print(name, len(cases), "prompts")


if __name__ == "__main__":
    main()
