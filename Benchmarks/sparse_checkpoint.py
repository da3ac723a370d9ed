"""Writes a checkpoint of Stable Diffusion XL's tensors, 8 GB long, whose values are holes in the file: it takes no room on the
disk. For the time that opening a file takes.

    python Benchmarks/sparse_checkpoint.py FILE.safetensors|FILE.gguf|FILE.ckpt
"""

import io
import json
import pickle
import struct
import sys
from pathlib import Path

TENSORS = Path(__file__).parent / "../Tests/Golden/families/full-xl.json"


def tensors():
    """Names, shapes and bytes an element: the U-Net in half precision, the rest in f32."""
    for name, shape in json.loads(TENSORS.read_text(encoding="utf-8"))["tensors"].items():
        count = 1
        for size in shape:
            count *= size
        is_half = name.startswith("model.diffusion_model.")
        yield name, shape, count, 2 if is_half else 4


def safetensors(file):
    header, end = {}, 0
    for name, shape, count, size in tensors():
        header[name] = {"dtype": "F16" if size == 2 else "F32", "shape": shape, "data_offsets": [end, end + count * size]}
        end += count * size
    text = json.dumps(header).encode()
    file.write(struct.pack("<Q", len(text)) + text)
    file.truncate(file.tell() + end)


def gguf(file):
    everything = list(tensors())
    file.write(b"GGUF" + struct.pack("<IQQ", 3, len(everything), 0))
    end = 0
    for name, shape, count, size in everything:
        file.write(struct.pack("<Q", len(name)) + name.encode() + struct.pack("<I", len(shape)))
        file.write(b"".join(struct.pack("<Q", axis) for axis in reversed(shape)))
        file.write(struct.pack("<IQ", 1 if size == 2 else 0, end))
        end += (count * size + 31) // 32 * 32
    file.truncate((file.tell() + 31) // 32 * 32 + end)


class Storage:
    """What a pickle of PyTorch's names a storage by."""

    def __init__(self, key, count, size):
        self.identity = ("storage", Named("torch", "HalfStorage" if size == 2 else "FloatStorage"), str(key), "cpu", count)


class Named:
    def __init__(self, module, name):
        self.module, self.name = module, name


class Pickler(pickle._Pickler):
    """Python's own pickler, with names and storages that PyTorch need not be there for."""

    def persistent_id(self, value):
        return value.identity if isinstance(value, Storage) else None

    def save(self, value, save_persistent_id=True):
        if isinstance(value, Named):
            self.write(b"c" + value.module.encode() + b"\n" + value.name.encode() + b"\n")
        elif isinstance(value, Tensor):
            self.save(Named("torch._utils", "_rebuild_tensor_v2"))
            self.save(value.arguments)
            self.write(b"R")
        else:
            super().save(value, save_persistent_id)


class Tensor:
    def __init__(self, key, shape, count, size):
        strides, step = [], 1
        for axis in reversed(shape):
            strides.insert(0, step)
            step *= axis
        self.arguments = (Storage(key, count, size), 0, tuple(shape), tuple(strides), False, {})


def ckpt(file):
    import zlib

    everything = list(tensors())
    text = io.BytesIO()
    weights = {name: Tensor(key, shape, count, size) for key, (name, shape, count, size) in enumerate(everything)}
    Pickler(text, 2).dump({"state_dict": weights})
    members = [("archive/data.pkl", len(text.getvalue()), text.getvalue())]
    members += [(f"archive/data/{key}", count * size, None) for key, (_, _, count, size) in enumerate(everything)]
    directory = b""
    for name, length, contents in members:
        start, checksum = file.tell(), zlib.crc32(contents) if contents else 0
        fields = struct.pack("<HHHHHIII", 45, 0, 0, 0, 0, checksum, length, length)
        file.write(b"PK\3\4" + fields + struct.pack("<HH", len(name), 0) + name.encode())
        file.write(contents) if contents else file.seek(length, 1)
        extra = struct.pack("<HHQ", 1, 8, start)
        fields = struct.pack("<HHHHHHIII", 45, 45, 0, 0, 0, 0, checksum, length, length)
        directory += b"PK\1\2" + fields + struct.pack(
            "<HHHHHII", len(name), len(extra), 0, 0, 0, 0, 0xFFFFFFFF) + name.encode() + extra
    start = file.tell()
    file.write(directory)
    record = file.tell()
    count = len(members)
    file.write(b"PK\6\6" + struct.pack("<QHHIIQQQQ", 44, 45, 45, 0, 0, count, count, len(directory), start))
    file.write(b"PK\6\7" + struct.pack("<IQI", 0, record, 1))
    file.write(b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0))


if __name__ == "__main__":
    target = Path(sys.argv[1])
    with target.open("wb") as file:
        {".safetensors": safetensors, ".gguf": gguf, ".ckpt": ckpt}[target.suffix](file)
