"""Writes noise/brownian.json: the noise that torchsde's Brownian tree gives k-diffusion's samplers for steps between
noise levels, and numpy's words for its seeds.

    python Tests/Golden/brownian.py
"""

import json
from pathlib import Path

import numpy as np
import torch
import torchsde

RANGE = (0.0291671675, 14.6146412)
STEPS = [(14.6146412, 7.5), (7.5, 3.25), (3.25, 0.1), (0.1, 0.0291671675), (14.6146412, 0.0291671675), (1.000001, 1.0)]

golden = {"range": RANGE, "trees": [], "seeds": []}
for seed in [0, 42, 2**40 + 5]:
    low, high = (torch.tensor(level, dtype=torch.float32) for level in RANGE)
    tree = torchsde.BrownianTree(low, torch.zeros(20), high, entropy=seed)
    noises = []
    for sigma, following in STEPS:
        sigma, following = (torch.tensor(level, dtype=torch.float32) for level in (sigma, following))
        noise = -tree(following, sigma) / (sigma - following).sqrt()
        noises.append({"from": float(sigma), "to": float(following), "values": noise.tolist()})
    golden["trees"].append({"seed": seed, "steps": noises})
for entropy in [0, 1, 2**31, 2**40 + 5]:
    for key in [None, (0, 0), (5, 3), (2**33, 40)]:
        sequence = np.random.SeedSequence(entropy, pool_size=24, **({"spawn_key": key} if key else {}))
        golden["seeds"].append({"entropy": entropy, "key": list(key or []), "word": int(sequence.generate_state(3)[0])})
path = Path(__file__).parent / "noise" / "brownian.json"
path.write_text(json.dumps(golden, separators=(",", ":")) + "\n")
