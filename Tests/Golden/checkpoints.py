"""Writes small files of torch.save in both of its formats, and their tensors as safetensors:
Tests/Golden/checkpoints/.

    python Tests/Golden/checkpoints.py
"""

import sys
import types
from collections import OrderedDict

import numpy as np
import torch
from safetensors.torch import save_file

from networks import HERE

FOLDER = HERE / "checkpoints"


def tensors():
    generator = torch.Generator().manual_seed(4)
    base = torch.randn(6, 5, generator=generator)
    shared = torch.arange(12, dtype=torch.float32)
    return {
        "float32": torch.randn(2, 3, generator=generator),
        "float16": torch.randn(7, generator=generator).half(),
        "bfloat16": torch.randn(3, 2, generator=generator).bfloat16(),
        "float64": torch.tensor(3.5, dtype=torch.float64),
        "int64": torch.tensor([[-1, 2**40]]),
        "int32": torch.tensor([-5, 6], dtype=torch.int32),
        "int16": torch.tensor([-300], dtype=torch.int16),
        "int8": torch.tensor([-7, 7], dtype=torch.int8),
        "uint8": torch.tensor([0, 255], dtype=torch.uint8),
        "boolean": torch.tensor([True, False, True]),
        "empty": torch.empty(2, 0),
        "whole": shared,
        "part": shared[4:10].view(2, 3),
        "transposed": base.T,
        "every.second": base[::2, 1::2],
        "permuted": torch.randn(2, 3, 4, generator=generator).half().permute(2, 0, 1),
    }


class ModelCheckpoint:
    """Stands for Lightning's class, whose name trained checkpoints have as a key."""


def main():
    FOLDER.mkdir(exist_ok=True)
    weights = tensors()
    save_file({name: value.contiguous().clone() for name, value in weights.items()}, FOLDER / "tensors.safetensors")
    ordered = OrderedDict(weights)
    ordered._metadata = OrderedDict({"": {"version": 1}})
    torch.save(ordered, FOLDER / "archive.ckpt")
    torch.save(ordered, FOLDER / "legacy.ckpt", _use_new_zipfile_serialization=False)

    name = "pytorch_lightning.callbacks.model_checkpoint"
    for package in ["pytorch_lightning", "pytorch_lightning.callbacks", name]:
        sys.modules[package] = types.ModuleType(package)
    ModelCheckpoint.__module__, sys.modules[name].ModelCheckpoint = name, ModelCheckpoint
    lightning = {
        "epoch": 6, "global_step": 470000, "pytorch-lightning_version": "1.4.2",
        "state_dict": {"inner": {"a": weights["float32"]}, "b": torch.nn.Parameter(weights["float16"].float())},
        "callbacks": {ModelCheckpoint: {"monitor": "val/loss", "best_model_score": np.float64(0.25)}},
        "optimizer_states": [{"state": {0: {"step": 3, "exp_avg": torch.zeros(3)}}}], "lr_schedulers": [],
    }
    torch.save(lightning, FOLDER / "lightning.ckpt")

    words = torch.nn.ParameterDict({"*": torch.nn.Parameter(weights["every.second"].contiguous())})
    for name, legacy in [("embedding", False), ("embedding-legacy", True)]:
        torch.save(
            {"string_to_token": {"*": torch.tensor(265)}, "string_to_param": words, "name": "style", "step": 500},
            FOLDER / f"{name}.pt", _use_new_zipfile_serialization=not legacy)


if __name__ == "__main__":
    main()
