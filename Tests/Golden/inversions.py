"""Writes files of words' embeddings (textual inversion) as several programs write them, and what diffusers makes of tiny
models with them, in f32: Tests/Golden/inversions/<file> and inversions.safetensors, the latents.

    python Tests/Golden/inversions.py
"""

import torch
from safetensors.torch import save_file

from families import FAMILIES, latents, request, values
from networks import HERE, save

FOLDER = HERE / "inversions"
COUNT = 3
PROMPT = "a cat by <sketch> on a table"


def automatic(embeddings):
    """AUTOMATIC1111's file."""
    return {
        "string_to_token": {"*": torch.tensor(265)}, "string_to_param": {"*": embeddings}, "name": "sketch",
        "step": 500, "sd_checkpoint": "0123abcd", "sd_checkpoint_name": "tiny",
    }


def first(embeddings):
    """The first authors'."""
    parameters = torch.nn.ParameterDict({"*": torch.nn.Parameter(embeddings)})
    return {"string_to_token": {"*": torch.tensor(265)}, "string_to_param": parameters}


def main():
    torch.set_grad_enabled(False)
    torch.set_num_threads(1)
    FOLDER.mkdir(exist_ok=True)
    results = {}

    _, pipeline = FAMILIES["sd1"]()
    width = pipeline.text_encoder.config.hidden_size
    embeddings = values("sketch.embedding", [COUNT, width])
    torch.save(automatic(embeddings), FOLDER / "sketch.pt")
    torch.save(first(embeddings), FOLDER / "first.pt", _use_new_zipfile_serialization=False)
    torch.save({"<sketch>": embeddings}, FOLDER / "diffusers.bin")
    torch.save(embeddings, FOLDER / "alone.bin")
    save_file({"emb_params": embeddings}, FOLDER / "trained.safetensors")
    torch.save({"<dot>": embeddings[0].clone()}, FOLDER / "dot.bin")

    pipeline.set_progress_bar_config(disable=True)
    pipeline.load_textual_inversion(str(FOLDER), weight_name="diffusers.bin")
    pipeline.load_textual_inversion(str(FOLDER), weight_name="dot.bin")
    results["sd1"] = latents(pipeline, request(prompt=PROMPT, negativePrompt="<dot>, blurry"))

    _, pipeline = FAMILIES["xl"]()
    pipeline.set_progress_bar_config(disable=True)
    widths = [pipeline.text_encoder.config.hidden_size, pipeline.text_encoder_2.config.hidden_size]
    both = {name: values(f"{name}.embedding", [COUNT, size]) for name, size in zip(["clip_l", "clip_g"], widths)}
    save_file(both, FOLDER / "large.safetensors")
    for name, tokenizer, encoder in [
        ("clip_l", pipeline.tokenizer, pipeline.text_encoder), ("clip_g", pipeline.tokenizer_2, pipeline.text_encoder_2),
    ]:
        pipeline.load_textual_inversion(both[name], token="<sketch>", tokenizer=tokenizer, text_encoder=encoder)
    results["xl"] = latents(pipeline, request(prompt=PROMPT))

    for name, value in results.items():
        print(name, float(value.abs().max()))
    save(FOLDER / "inversions.safetensors", results)


if __name__ == "__main__":
    main()
