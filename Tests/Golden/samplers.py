"""Writes samplers/samplers.json: diffusers' schedulers over an analytic denoiser. Needs torch and diffusers."""
import inspect
import json
from pathlib import Path

import torch
from diffusers import (
    DDIMScheduler, DDPMScheduler, DEISMultistepScheduler, DPMSolverMultistepScheduler,
    EulerAncestralDiscreteScheduler, EulerDiscreteScheduler, HeunDiscreteScheduler, KDPM2AncestralDiscreteScheduler,
    KDPM2DiscreteScheduler, LCMScheduler, LMSDiscreteScheduler, PNDMScheduler, TCDScheduler, UniPCMultistepScheduler,
)

FIRST = {"pndm": PNDMScheduler, "ddim": DDIMScheduler, "euler": EulerDiscreteScheduler}
CLASSES = FIRST | {
    "euler-ancestral": EulerAncestralDiscreteScheduler, "heun": HeunDiscreteScheduler,
    "dpm2": KDPM2DiscreteScheduler, "dpm2-ancestral": KDPM2AncestralDiscreteScheduler, "lms": LMSDiscreteScheduler,
    "dpmpp-2m": DPMSolverMultistepScheduler, "dpmpp-2m-sde": DPMSolverMultistepScheduler,
    "dpmpp-2m-sde-heun": DPMSolverMultistepScheduler, "deis": DEISMultistepScheduler,
    "unipc": UniPCMultistepScheduler, "lcm": LCMScheduler, "tcd": TCDScheduler, "ddpm": DDPMScheduler,
}
SETTINGS = {
    "dpmpp-2m-sde": {"algorithm_type": "sde-dpmsolver++"},
    "dpmpp-2m-sde-heun": {"algorithm_type": "sde-dpmsolver++", "solver_type": "heun"},
}
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


def run(name, config, steps, eta=None, seed=7, first=0):
    config = config | SETTINGS.get(name, {})
    scheduler = CLASSES[name].from_config(config)
    scheduler.set_timesteps(steps)
    generator = torch.Generator("cpu").manual_seed(seed)
    noise = torch.randn((1, 2, 4, 2), generator=generator)
    latents = noise * scheduler.init_noise_sigma
    accepted = inspect.signature(scheduler.step).parameters
    extra = {} if eta is None else {"eta": eta}
    if "generator" in accepted:
        extra["generator"] = generator
    asked = []
    timesteps = scheduler.timesteps[first * scheduler.order :]
    if first:
        # As the image-to-image pipeline: noise over a picture of halves.
        if hasattr(scheduler, "set_begin_index"):
            scheduler.set_begin_index(first * scheduler.order)
        latents = scheduler.add_noise(torch.full_like(noise, 0.5), noise, timesteps[:1])
    for t in timesteps:
        asked.append(float(t))
        model_input = scheduler.scale_model_input(latents, t)
        latents = scheduler.step(denoise(model_input, t), t, latents, **extra).prev_sample
    return {
        "sampler": name, "configuration": config, "steps": steps, "eta": eta, "seed": seed, "first": first,
        "timesteps": asked if steps <= 50 else asked[:3] + asked[-3:], "scale": float(scheduler.init_noise_sigma),
        "latents": latents.flatten().tolist(),
    }


cases = []


def add(name, config, steps, **options):
    case = run(name, config, steps, **options)
    # Beyond float32's range or with not-a-number there is nothing to compare.
    assert all(abs(v) < 1e30 for v in case["latents"]), (name, config, steps)
    cases.append(case)


for name in FIRST:
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
for name in [name for name in CLASSES if name not in FIRST]:
    few = [1, 2, 4, 8, 30] if name in ["lcm", "tcd"] else [1, 2, 3, 5, 14, 15, 20, 50]
    for steps in few:
        add(name, SD15, steps)
    for steps in few[2:4]:
        add(name, SD21, steps)
        if name in ["lcm", "tcd"]:
            continue
        for spacing in ["leading", "linspace", "trailing"]:
            add(name, SD15 | {"timestep_spacing": spacing}, steps)
        if "rescale_betas_zero_snr" in inspect.signature(CLASSES[name]).parameters:
            add(name, ZERO, steps)
for name in ["heun", "lms", "dpmpp-2m", "dpmpp-2m-sde", "deis", "unipc"]:
    for key in ["use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas"]:
        for steps in [5, 20]:
            if not (name == "deis" and key == "use_beta_sigmas"):
                add(name, SD15 | {key: True}, steps)
for key in ["use_exponential_sigmas", "use_beta_sigmas"]:
    add("euler", SD15 | {key: True}, 20)
for steps in [4, 20]:
    for name in ["dpmpp-2m", "unipc"]:
        add(name, SD15 | {"final_sigmas_type": "sigma_min"}, steps)
    add("dpmpp-2m", SD15 | {"final_sigmas_type": "sigma_min", "lower_order_final": False}, steps)
    add("unipc", SD15 | {"solver_type": "bh1", "final_sigmas_type": "sigma_min"}, steps)
    for more in [{}, {"lower_order_final": False, "final_sigmas_type": "sigma_min"}]:
        add("unipc", SD15 | {"solver_order": 3} | more, steps)
    for eta in [0.0, 1.0]:
        add("tcd", SD15, steps, eta=eta)
for name in CLASSES:
    # Those two space their timesteps anew; LMS takes coefficients of steps it did not make.
    if name in ["lcm", "tcd", "lms"]:
        continue
    for first in [1, 5, 10]:
        add(name, SD15, 20, first=first)
    add(name, SD15 | {"timestep_spacing": "trailing"}, 7, first=3)
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
