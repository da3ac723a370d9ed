"""Writes the model as the folder that StableDiffusionPipeline.from_pretrained reads."""

import copy
import json
import os
import shutil
from pathlib import Path

from diffusers import StableDiffusionPipeline
from safetensors.torch import load_file, save_file
from transformers import CLIPTokenizer

from schedule import scheduler

PARTS = ("tokenizer", "text_encoder", "unet", "vae", "scheduler")


def export(folder, autoencoder, scale, text_encoder, unet, tokenizer_folder):
    """Replaces each part whole; anything else in the folder, like the card, stays."""
    folder = Path(folder)
    fresh = folder.with_name(folder.name + ".partial")
    shutil.rmtree(fresh, ignore_errors=True)
    autoencoder = copy.deepcopy(autoencoder)
    autoencoder.register_to_config(scaling_factor=scale)
    pipeline = StableDiffusionPipeline(
        vae=autoencoder.half(), text_encoder=copy.deepcopy(text_encoder).half(),
        unet=copy.deepcopy(unet).half(), scheduler=scheduler("inference"),
        tokenizer=CLIPTokenizer.from_pretrained(tokenizer_folder),
        safety_checker=None, feature_extractor=None, requires_safety_checker=False)
    pipeline.save_pretrained(fresh, safe_serialization=True)
    shutil.rmtree(fresh / "tokenizer")
    shutil.copytree(tokenizer_folder, fresh / "tokenizer")
    name_as_before(fresh / "text_encoder" / "model.safetensors")
    ask_for_float32(fresh / "text_encoder" / "config.json")
    folder.mkdir(parents=True, exist_ok=True)
    for part in PARTS:
        shutil.rmtree(folder / part, ignore_errors=True)
        os.replace(fresh / part, folder / part)
    write_index(fresh / "model_index.json", folder / "model_index.json")
    shutil.rmtree(fresh)


def name_as_before(weights):
    """Transformers 4 and other programs look for names under `text_model.`."""
    tensors = {}
    for name, tensor in load_file(weights).items():
        tensors[name if name.startswith("text_model.") else "text_model." + name] = tensor
    save_file(tensors, weights, metadata={"format": "pt"})


def ask_for_float32(config):
    """Transformers 5 computes in the type named here, diffusers' other parts in float32."""
    settings = json.loads(config.read_text())
    settings["dtype"] = "float32"
    config.write_text(json.dumps(settings, indent=2) + "\n")


def write_index(source, target):
    index = json.loads(source.read_text())
    index.pop("_name_or_path", None)
    target.write_text(json.dumps(index, indent=2) + "\n")
