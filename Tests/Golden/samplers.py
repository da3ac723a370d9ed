"""Writes samplers/samplers.json: diffusers' schedulers over an analytic denoiser. Needs torch and diffusers."""
import json
from pathlib import Path

import torch
from diffusers import DDIMScheduler, EulerDiscreteScheduler, PNDMScheduler

CLASSES = {"pndm": PNDMScheduler, "ddim": DDIMScheduler, "euler": EulerDiscreteScheduler}
LATENT = {"num_train_timesteps": 1000, "beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
SD15 = LATENT | {
    "_class_name": "PNDMScheduler", "clip_sample": False, "set_alpha_to_one": False, "skip_prk_steps": True,
    "steps_offset": 1, "trained_betas": None,
}
SD21 = LATENT | {
    "_class_name": "DDIMScheduler", "clip_sample": False, "set_alpha_to_one": False, "skip_prk_steps": True,
    "steps_offset": 1, "prediction_type": "v_prediction",
}
ZERO = SD21 | {"rescale_betas_zero_snr": True, "timestep_spacing": "trailing"}
STEPS = [1, 2, 3, 4, 5, 20, 50, 999]


def denoise(x, t):
    return torch.tanh(0.7 * x + torch.cos(torch.tensor(float(t) / 1000)))


def run(name, config, steps, eta=0.0, seed=7):
    scheduler = CLASSES[name].from_config(config)
    scheduler.set_timesteps(steps)
    generator = torch.Generator("cpu").manual_seed(seed)
    latents = torch.randn((1, 2, 4, 2), generator=generator) * scheduler.init_noise_sigma
    extra = {"eta": eta, "generator": generator} if eta else {}
    asked = []
    for t in scheduler.timesteps:
        asked.append(float(t))
        model_input = scheduler.scale_model_input(latents, t)
        latents = scheduler.step(denoise(model_input, t), t, latents, **extra).prev_sample
    return {
        "sampler": name, "configuration": config, "steps": steps, "eta": eta, "seed": seed,
        "timesteps": asked if steps <= 50 else asked[:3] + asked[-3:], "scale": float(scheduler.init_noise_sigma),
        "latents": latents.flatten().tolist(),
    }


cases = []


def add(name, config, steps, **options):
    case = run(name, config, steps, **options)
    # Beyond float32's range or with not-a-number there is nothing to compare.
    assert all(abs(v) < 1e30 for v in case["latents"]), (name, config, steps)
    cases.append(case)


for name in CLASSES:
    for steps in STEPS:
        add(name, SD15, steps)
        add(name, SD21, steps)
        if name != "pndm":
            add(name, ZERO, steps)
    for spacing in ["leading", "linspace", "trailing"]:
        for prediction in ["epsilon", "v_prediction"] + ([] if name == "pndm" else ["sample"]):
            for steps in [1, 4, 7, 20]:
                add(name, SD15 | {"timestep_spacing": spacing, "prediction_type": prediction}, steps)
    add(name, LATENT | {"timestep_spacing": "trailing", "skip_prk_steps": True, "clip_sample": False}, 1000)
    for schedule in ["linear", "squaredcos_cap_v2"]:
        add(name, SD15 | {"beta_schedule": schedule}, 20)
    betas = [0.001 + 0.0004 * i for i in range(50)]
    add(name, {"num_train_timesteps": 50, "trained_betas": betas, "clip_sample": False, "skip_prk_steps": True}, 10)
for prediction in ["epsilon", "v_prediction"]:
    for steps in [4, 5, 20, 50, 333]:
        add("pndm", LATENT | {"prediction_type": prediction}, steps)
for eta in [0.3, 1.0]:
    add("ddim", SD15, 20, eta=eta)
for config in [LATENT, LATENT | {"clip_sample_range": 0.5}, LATENT | {"clip_sample": True, "set_alpha_to_one": True}]:
    add("ddim", config, 20)
for steps in [1, 5, 20]:
    add("euler", SD15 | {"use_karras_sigmas": True}, steps)
    add("euler", SD15 | {"final_sigmas_type": "sigma_min"}, steps)
    add("euler", SD15 | {"use_karras_sigmas": True, "sigma_min": 0.05, "sigma_max": 12.0}, steps)
path = Path(__file__).parent / "samplers" / "samplers.json"
path.write_text("[\n" + ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases) + "\n]\n")
print(path, path.stat().st_size, len(cases))

schedules = []
for name, config in [
    ("ddim", SD15), ("ddim", ZERO), ("euler", ZERO), ("pndm", {"skip_prk_steps": True}),
    ("ddim", SD15 | {"beta_schedule": "squaredcos_cap_v2"}), ("ddim", {"num_train_timesteps": 17}),
    ("pndm", {"num_train_timesteps": 3, "trained_betas": [0.1, 0.2, 0.3]}),
]:
    alphas = CLASSES[name].from_config(config).alphas_cumprod
    places = sorted({i for i in [0, 1, 2, 3, 10, 16, 100, 333, 499, 500, 777, 998, 999] if i < len(alphas)})
    schedules.append({
        "sampler": name, "configuration": config, "places": places,
        "bits": [int(alphas[i : i + 1].numpy().view("<u4")[0]) for i in places],
    })
path = Path(__file__).parent / "samplers" / "schedules.json"
path.write_text("[\n" + ",\n".join(json.dumps(one, separators=(",", ":")) for one in schedules) + "\n]\n")
