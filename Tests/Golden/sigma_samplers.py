"""Writes samplers/sigma_samplers.json: k-diffusion's samplers, and samplers/sigmas.json: schedules of noise levels.

Needs torch, scipy, and k-diffusion with torchsde, trampoline and torchdiffeq (installed without what they depend on).
"""
import importlib.util
import json
import math
import sys
import types
from pathlib import Path

import numpy as np
import torch
from scipy import stats

HERE = Path(__file__).parent


def k_diffusion_sampling():
    """k_diffusion/sampling.py alone: the package's own imports need much that samplers do not."""
    folder = Path(importlib.util.find_spec("k_diffusion").submodule_search_locations[0])
    package = types.ModuleType("k_diffusion")
    package.__path__ = [str(folder)]
    sys.modules["k_diffusion"] = package
    utils = types.ModuleType("k_diffusion.utils")
    utils.append_dims = lambda x, dims: x[(...,) + (None,) * (dims - x.ndim)]
    sys.modules["k_diffusion.utils"] = package.utils = utils
    spec = importlib.util.spec_from_file_location("k_diffusion.sampling", folder / "sampling.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


K = k_diffusion_sampling()
BETAS = torch.linspace(0.00085**0.5, 0.012**0.5, 1000, dtype=torch.float32) ** 2
ALPHAS = torch.cumprod(1 - BETAS, dim=0)
TRAINED = (((1 - ALPHAS) / ALPHAS) ** 0.5).double().numpy()
LOGS = np.log(TRAINED)
LOW, HIGH = float(TRAINED[0]), float(TRAINED[-1])


def timestep(sigma):
    return float(np.interp(math.log(float(sigma)), LOGS, np.arange(1000)))


def t_to_sigma(t):
    return float(np.exp(np.interp(t, np.arange(1000), LOGS)))


def model(x, sigma, **_):
    s = float(sigma[0])
    output = torch.tanh(0.7 * x / (s * s + 1) ** 0.5 + math.cos(timestep(s) / 1000))
    return x - s * output


def zero(levels):
    return [float(level) for level in levels] + [0.0]


def ays(n):
    table = [14.615, 6.475, 3.861, 2.697, 1.886, 1.396, 0.963, 0.652, 0.399, 0.152, 0.029]
    xs = np.linspace(0, 1, len(table))
    return np.exp(np.interp(np.linspace(0, 1, n), xs, np.log(table[::-1])))[::-1]


def beta_timesteps(n):
    told = np.rint(stats.beta.ppf(1 - np.linspace(0, 1, n, endpoint=False), 0.6, 0.6) * 999).astype(int)
    return [t for i, t in enumerate(told) if i == 0 or t != told[i - 1]]


def linear_quadratic(n):
    """Mochi's, as a fraction of the way; straight for half the steps, then a parabola that joins it smoothly."""
    if n == 1:
        return [HIGH, 0.0]
    half = n // 2
    slope = 0.025 / half
    curve = n - half
    # y(i) = slope·half + slope·(i − half) + c·(i − half)²; y(n) = 1.
    c = (1 - slope * half - slope * curve) / curve**2
    way = [slope * i if i < half else slope * i + c * (i - half) ** 2 for i in range(n)]
    return [HIGH * (1 - w) for w in way] + [0.0]


SCHEDULES = {
    ("karras", "automatic1111"): lambda n: K.get_sigmas_karras(n, LOW, HIGH).tolist(),
    ("exponential", "automatic1111"): lambda n: K.get_sigmas_exponential(n, LOW, HIGH).tolist(),
    ("polyexponential", "automatic1111"): lambda n: K.get_sigmas_polyexponential(n, LOW, HIGH).tolist(),
    ("normal", "automatic1111"): lambda n: zero(t_to_sigma(t) for t in np.linspace(999, 0, n)),
    ("sgm-uniform", "automatic1111"): lambda n: zero(t_to_sigma(t) for t in np.linspace(999, 0, n + 1)[:-1]),
    ("simple", "automatic1111"): lambda n: zero(TRAINED[-(1 + int(i * 1000 / n))] for i in range(n)),
    ("ddim-uniform", "automatic1111"): lambda n: zero(TRAINED[1 :: max(1000 // n, 1)][::-1]),
    ("beta", "automatic1111"): lambda n: zero(
        LOW + stats.beta.ppf(q, 0.6, 0.6) * (HIGH - LOW) for q in 1 - np.linspace(0, 1, n)),
    ("beta", "comfyUI"): lambda n: zero(TRAINED[t] for t in beta_timesteps(n)),
    ("kl-optimal", "automatic1111"): lambda n: [
        math.tan(i / n * math.atan(LOW) + (1 - i / n) * math.atan(HIGH)) for i in range(n + 1)],
    ("kl-optimal", "comfyUI"): lambda n: zero(
        math.tan(i / max(n - 1, 1) * math.atan(LOW) + (1 - i / max(n - 1, 1)) * math.atan(HIGH)) for i in range(n)),
    ("align-your-steps", "automatic1111"): lambda n: zero(ays(n)),
    ("align-your-steps", "comfyUI"): lambda n: zero(ays(n + 1)[:-1]),
    ("linear-quadratic", "comfyUI"): linear_quadratic,
}

sigmas = []
for (name, convention), make in SCHEDULES.items():
    for steps in [1, 2, 10, 11, 20, 33]:
        levels = make(steps)
        sigmas.append({"schedule": name, "convention": convention, "steps": steps, "sigmas": levels})
path = HERE / "samplers" / "sigmas.json"
path.write_text("[\n" + ",\n".join(json.dumps(one, separators=(",", ":")) for one in sigmas) + "\n]\n")


def restart(x, sigmas, noise):
    """Xu et al.'s algorithm with Heun steps and AUTOMATIC1111's intervals, written from their description."""
    steps = len(sigmas) - 1
    intervals = [(float(a), float(b)) for a, b in zip(sigmas[:-1], sigmas[1:])]
    if steps >= 20:
        length, times = (steps // 4, 2) if steps >= 36 else (9, 1)
        base = K.get_sigmas_karras(steps - length * times, float(sigmas[-2]), float(sigmas[0])).tolist()
        low = min(range(len(base)), key=lambda i: abs(base[i] - 0.1))
        high = min(range(len(base)), key=lambda i: abs(base[i] - 2))
        again = K.get_sigmas_karras(length + 1, base[low], base[high])[:-1].tolist()
        intervals = []
        for i in range(len(base) - 1):
            intervals.append((base[i], base[i + 1]))
            if i + 1 == low:
                intervals += list(zip(again[:-1], again[1:])) * times
    before = None
    for start, end in intervals:
        if before is not None and before < start:
            x = x + noise(before, start) * (start**2 - before**2) ** 0.5
        x = K.sample_heun(lambda x, s, **_: model(x, s), x, torch.tensor([start, end]), disable=True)
        before = end
    return x


def sample(name, levels, eta, steps):
    generator = torch.Generator("cpu").manual_seed(11)
    x = torch.randn((1, 2, 4, 2), generator=generator) * (levels[0] ** 2 + 1) ** 0.5
    noise = lambda *_: torch.randn(x.shape, generator=generator)
    if name == "restart":
        return restart(x, levels, noise)
    if name == "dpm-adaptive":
        return K.sample_dpm_adaptive(model, x, LOW, HIGH, disable=True)
    extra = {}
    if name.endswith("heun") and name != "heun":
        extra["solver_type"] = "heun"
    stochastic = name.endswith("ancestral") or "sde" in name
    if stochastic:
        extra |= {"noise_sampler": noise} | ({} if eta is None else {"eta": eta})
    function = getattr(K, "sample_" + name.replace("dpm2", "dpm-2").replace("-heun", "").replace("-", "_")
                       if name != "heun" else "sample_heun")
    return function(model, x, levels, disable=True, **extra)


cases = []
NAMES = [
    "euler", "heun", "dpm2", "lms", "dpmpp-2m", "euler-ancestral", "dpm2-ancestral", "dpmpp-2s-ancestral", "dpmpp-sde",
    "dpmpp-2m-sde", "dpmpp-2m-sde-heun", "dpmpp-3m-sde", "restart",
]
for name in NAMES:
    etas = [None, 0.0, 0.4] if name.endswith("ancestral") or "sde" in name else [None]
    for steps in [1, 2, 3, 4, 12, 24, 40]:
        for schedule, make in [("karras", SCHEDULES["karras", "automatic1111"]),
                               ("normal", SCHEDULES["normal", "automatic1111"])]:
            levels = torch.tensor(make(steps))
            # k-diffusion's own fail with a single step.
            if steps == 1 and name in ["dpmpp-2m-sde", "dpmpp-2m-sde-heun", "dpmpp-3m-sde"]:
                continue
            for eta in etas if steps in [3, 24] else [None]:
                result = sample(name, levels, eta, steps)
                cases.append({
                    "sampler": name, "schedule": schedule, "steps": steps, "eta": eta, "seed": 11,
                    "latents": result.flatten().tolist(),
                })
levels = torch.tensor(SCHEDULES["normal", "automatic1111"](20))
cases.append({
    "sampler": "dpm-adaptive", "schedule": "normal", "steps": 20, "eta": None, "seed": 11,
    "latents": sample("dpm-adaptive", levels, None, 20).flatten().tolist(),
})
assert all(abs(v) < 1e30 for case in cases for v in case["latents"])
path = HERE / "samplers" / "sigma_samplers.json"
path.write_text("[\n" + ",\n".join(json.dumps(one, separators=(",", ":")) for one in cases) + "\n]\n")
print(path, path.stat().st_size, len(cases))
