"""Writes a GGUF file with a tensor of each type, a safetensors file of numbers of 8 bits, and their values:
Tests/Golden/checkpoints/{types.gguf,float8.safetensors,quantized.safetensors}; and numbers with the blocks that they are
rounded to: blocks.safetensors.

    python Tests/Golden/quantized.py

ggml's own Python package says what blocks are; PyTorch says what numbers of 8 bits are.
"""

import gguf
import numpy as np
import torch
from gguf.quants import dequantize, quantize
from safetensors.torch import save_file

from networks import HERE

FOLDER = HERE / "checkpoints"
BLOCKS = ["Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K"]
# Where the numbers of half precision are in a block.
SCALES = {
    "Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2], "Q8_0": [0], "Q2_K": [80, 82], "Q3_K": [108],
    "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208],
}


def blocks(name, rows, columns, random):
    """Blocks of random bytes, with scales that are numbers."""
    kind = gguf.GGMLQuantizationType[name]
    count, size = gguf.GGML_QUANT_SIZES[kind]
    data = random.integers(0, 256, (rows * columns // count, size), dtype=np.uint8)
    for place in SCALES[name]:
        scales = random.normal(0, 0.01, len(data)).astype(np.float16)
        data[:, place : place + 2] = scales.view(np.uint8).reshape(-1, 2)
    return data.reshape(rows, -1), kind


def rounded(random):
    """Blocks of usual weights, of zeros, of one sign, of the greatest number in either place, and of next to nothing."""
    numbers = random.normal(0, 0.05, (8, 64)).astype(np.float32)
    numbers[1] = 0
    numbers[2] = np.abs(numbers[2])
    numbers[3] = -np.abs(numbers[3]) - 1
    numbers[4, :2] = [2, -2]
    numbers[5, :2] = [-3, 3]
    numbers[6] *= 1e-7
    numbers[7] = np.arange(64) / 4 - 8
    return {"numbers": torch.from_numpy(numbers)} | {
        name: torch.from_numpy(quantize(numbers, gguf.GGMLQuantizationType[name]).copy())
        for name in ["Q8_0", "Q5_1", "Q5_0", "Q4_1", "Q4_0"]
    }


def main():
    random = np.random.default_rng(7)
    writer = gguf.GGUFWriter(FOLDER / "types.gguf", "sd")
    writer.add_name("tiny")
    writer.add_array("some.texts", ["a", "b"])
    writer.add_array("some.numbers", [1, 2, 3])
    writer.add_float32("some.number", 0.5)
    expected = {}
    for name in BLOCKS:
        data, kind = blocks(name, 3, 512, random)
        writer.add_tensor(name, data, raw_dtype=kind)
        expected[name] = torch.from_numpy(dequantize(data, kind).astype(np.float16))
    plain = random.normal(0, 1, (2, 5)).astype(np.float32)
    for name, data in {
        "F32": plain, "F16": plain.astype(np.float16), "F64": plain.astype(np.float64),
        "I8": np.array([[-3, 4]], dtype=np.int8), "I32": np.array([7], dtype=np.int32),
    }.items():
        writer.add_tensor(name, data)
        expected[name] = torch.from_numpy(data)
    brain = torch.from_numpy(plain).bfloat16()
    writer.add_tensor("BF16", brain.view(torch.uint8).numpy(), raw_dtype=gguf.GGMLQuantizationType.BF16)
    expected["BF16"] = brain
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()

    every = torch.arange(256).to(torch.uint8)
    eights = {
        "F8_E4M3": torch.float8_e4m3fn, "F8_E5M2": torch.float8_e5m2, "F8_E4M3FNUZ": torch.float8_e4m3fnuz,
        "F8_E5M2FNUZ": torch.float8_e5m2fnuz,
    }
    save_file({name: every.view(kind).clone() for name, kind in eights.items()}, FOLDER / "float8.safetensors")
    expected |= {name: every.view(kind).half() for name, kind in eights.items()}
    save_file(expected, FOLDER / "quantized.safetensors")
    save_file(rounded(random), FOLDER / "blocks.safetensors")


if __name__ == "__main__":
    main()
