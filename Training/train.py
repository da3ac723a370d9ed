"""The one command: python Training/train.py --state DIR --output Models/demo

Stages follow one another and each goes on from its saved state, so the command can be
stopped and repeated at will. More minutes than before train the stages further.
"""

import argparse
import time
from pathlib import Path

import torch

import autoencoder
import diffusion
import foretell
import sharpen
from export import export
from latents import encode_pool
from tokenizer import write_tokenizer

SHARES = {"autoencoder": 0.22, "text encoder": 0.10, "diffusion": 0.58, "sharpen": 0.10}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--state", type=Path, required=True, help="folder that keeps what was learnt")
    parser.add_argument("--output", type=Path, required=True, help="the model's folder, in diffusers' layout")
    parser.add_argument("--minutes", type=float, default=84, help="training time of all stages together")
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args()


def log(message):
    print(time.strftime("%H:%M:%S"), message, flush=True)


def main():
    asked = arguments()
    torch.set_num_threads(asked.threads)
    asked.state.mkdir(parents=True, exist_ok=True)
    words = asked.state / "tokenizer"
    if not (words / "merges.txt").exists():
        write_tokenizer(words)
    minutes = {stage: share * asked.minutes for stage, share in SHARES.items()}
    latents = asked.state / "latents.pt"
    # Once latents were made with it, the autoencoder stays.
    coder = autoencoder.train(asked.state / "autoencoder.pt", 0 if latents.exists() else minutes["autoencoder"], log)
    pool, scale = encode_pool(coder, latents, log)
    text_encoder = foretell.train(asked.state / "text_encoder.pt", minutes["text encoder"], pool, words, log)

    def write(unet, text_encoder):
        sharp = sharpen.train(asked.state / "decoder.pt", 0, coder, pool, scale, log)
        export(asked.output, sharp, scale, text_encoder, unet, words)

    unet, text_encoder = diffusion.train(asked.state / "diffusion.pt", minutes["diffusion"], pool,
                                         text_encoder, words, log, write)
    sharpen.train(asked.state / "decoder.pt", minutes["sharpen"], coder, pool, scale, log)
    write(unet, text_encoder)
    log("done")


if __name__ == "__main__":
    main()
