"""Text to image with diffusers in a process of its own, for measuring; prints one line of JSON.

    python text_to_image_diffusers.py MODEL [--precision f32|bf16] [--steps 20] [--output FILE]
"""

import argparse
import json
import resource
import time

start = time.perf_counter()

import torch
from diffusers import StableDiffusionPipeline


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    parser.add_argument("--precision", choices=["f32", "bf16"], default="f32")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--prompt", default="a red apple on a table")
    parser.add_argument("--output")
    asked = parser.parse_args()
    pipeline = StableDiffusionPipeline.from_pretrained(
        asked.model, torch_dtype={"f32": torch.float32, "bf16": torch.bfloat16}[asked.precision])
    pipeline.set_progress_bar_config(disable=True)
    steps = []
    picture = pipeline(
        asked.prompt, num_inference_steps=asked.steps, guidance_scale=7.5, width=asked.size, height=asked.size,
        generator=torch.Generator("cpu").manual_seed(asked.seed),
        callback_on_step_end=lambda _, index, timestep, values: steps.append(time.perf_counter()) or values
    ).images[0]
    if asked.output:
        picture.save(asked.output)
    end = time.perf_counter()
    # The first step's end, less a usual step, is when the first step began.
    step = (steps[-1] - steps[0]) / (len(steps) - 1) if len(steps) > 1 else 0
    print(json.dumps({
        "seconds": end - start, "load_to_first_step": steps[0] - start - step, "denoising": step * len(steps),
        "step": step, "decode": end - steps[-1],
        "peak_memory_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}))


if __name__ == "__main__":
    main()
