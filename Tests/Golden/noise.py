"""Writes noise/noise.json: PyTorch's CPU noise as bit patterns. Needs torch, on a processor with AVX2."""
import json
from pathlib import Path

import torch

SEEDS = [0, 1, 42, 2**32 - 1, 2**32 + 5, 2**53, -1, 2**63]
COUNTS = list(range(1, 34)) + [64, 100]
LARGE = [1000, 16384]
CALLS = [1, 2, 16, 3, 33, 1, 15, 40, 5]


def generator(seed):
    return torch.Generator("cpu").manual_seed(seed)


def bits(values):
    return values.numpy().view("<u4").tolist()


assert torch.backends.cpu.get_cpu_capability() in ("AVX2", "AVX512")
golden = {"whole": [], "digests": [], "successive": []}
for seed in SEEDS:
    unsigned = str(seed % 2**64)
    counts = COUNTS if seed in (0, 42) else [5, 16, 33]
    for count in counts:
        values = torch.randn(count, generator=generator(seed))
        golden["whole"].append({"seed": unsigned, "count": count, "bits": bits(values)})
    for count in LARGE + ([1_000_003] if seed == 42 else []):
        data = torch.randn(count, generator=generator(seed)).numpy().astype("<f4").tobytes()
        # FNV-1a, 64 bits, over 32-bit words.
        digest = 0xCBF29CE484222325
        for word in memoryview(data).cast("I"):
            digest = ((digest ^ word) * 0x100000001B3) % 2**64
        golden["digests"].append({"seed": unsigned, "count": count, "digest": str(digest)})
    source = generator(seed)
    calls = [{"count": count, "bits": bits(torch.randn(count, generator=source))} for count in CALLS]
    golden["successive"].append({"seed": unsigned, "calls": calls})
path = Path(__file__).parent / "noise" / "noise.json"
path.write_text(json.dumps(golden, separators=(",", ":")) + "\n")
print(path, path.stat().st_size)
