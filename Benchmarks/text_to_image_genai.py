"""One picture by OpenVINO GenAI, timed from the start of the process: writes JSON, as text_to_image_diffusers.py does.

    python text_to_image_genai.py MODEL [--precision bf16] [--steps 20] [--seed 42] [--output FILE]

The model, of Stable Diffusion 1.5's sizes, is converted first, once, by OpenVINO's own converter, into a folder beside it.
"""

import time

START = time.perf_counter()

import argparse
import json
import os
import resource
import shutil
import sys
from pathlib import Path

import unet_step_openvino


def prediction(model):
    """The U-Net's conversion, with a whole timestep of one axis, as the pipeline gives it."""
    import openvino
    from openvino import opset13

    converted = openvino.Core().read_model(unet_step_openvino.conversion(model))
    scalar = converted.get_parameters()[1]
    timestep = opset13.parameter([1], openvino.Type.i64, "timestep")
    number = opset13.convert(timestep, "f32")
    scalar.output(0).replace(opset13.squeeze(number, opset13.constant([0], openvino.Type.i64)).output(0))
    converted.remove_parameter(scalar)
    converted.add_parameters([timestep])
    return converted


def convert(model, folder):
    import openvino
    import torch
    from diffusers import AutoencoderKL
    from openvino_tokenizers import convert_tokenizer
    from transformers import CLIPTextModel, CLIPTokenizer

    text = CLIPTextModel.from_pretrained(model / "text_encoder", torch_dtype=torch.float32).eval()
    vae = AutoencoderKL.from_pretrained(model / "vae", torch_dtype=torch.float32).eval()

    class Encoding(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.text = text

        def forward(self, input_ids):
            output = self.text(input_ids)
            return output.last_hidden_state, output.pooler_output

    class Decoding(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.vae = vae

        def forward(self, latent_sample):
            return self.vae.decode(latent_sample, return_dict=False)[0]

    def save(converted, name, inputs, outputs, source):
        for port, own in [*zip(converted.inputs, inputs), *zip(converted.outputs, outputs)]:
            port.get_tensor().set_names({own})
        target = folder / name
        target.mkdir(parents=True)
        openvino.save_model(converted, target / "openvino_model.xml", compress_to_fp16=True)
        shutil.copy(model / source / "config.json", target / "config.json")

    save(prediction(model), "unet", ["sample", "encoder_hidden_states", "timestep"], ["out_sample"], "unet")
    with torch.no_grad():
        save(openvino.convert_model(Encoding(), example_input=torch.ones(2, 77, dtype=torch.long), input=[[2, 77]]),
             "text_encoder", ["input_ids"], ["last_hidden_state", "pooler_output"], "text_encoder")
        save(openvino.convert_model(Decoding(), example_input=torch.randn(1, 4, 64, 64), input=[[1, 4, 64, 64]]),
             "vae_decoder", ["latent_sample"], ["sample"], "vae")
    tokenizer = CLIPTokenizer.from_pretrained(model / "tokenizer")
    openvino.save_model(convert_tokenizer(tokenizer), folder / "tokenizer" / "openvino_tokenizer.xml")
    shutil.copytree(model / "scheduler", folder / "scheduler")
    shutil.copy(model / "model_index.json", folder / "model_index.json")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("--precision", default="bf16")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--size", type=int, choices=[512], default=512)
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--prompt", default="a red apple on a table")
    parser.add_argument("--output", type=Path)
    asked = parser.parse_args()
    folder = asked.model / "openvino-genai"
    if not folder.exists():
        partial = folder.with_suffix(".partial")
        shutil.rmtree(partial, ignore_errors=True)
        convert(asked.model, partial)
        partial.rename(folder)
        # What was loaded for that is no part of the time and memory.
        os.execv(sys.executable, [sys.executable, *sys.argv])

    import openvino_genai

    pipeline = openvino_genai.Text2ImagePipeline(folder)
    pipeline.reshape(1, 512, 512, 7.5)
    pipeline.compile("CPU", PERFORMANCE_HINT="LATENCY", INFERENCE_PRECISION_HINT=asked.precision)
    steps = []

    def step(index, count, latent):
        steps.append(time.perf_counter())
        return False

    image = pipeline.generate(
        asked.prompt, width=512, height=512, num_inference_steps=asked.steps, guidance_scale=7.5,
        rng_seed=asked.seed, callback=step).data[0]
    if asked.output:
        from PIL import Image
        Image.fromarray(image).save(asked.output)
    end = time.perf_counter()
    step = (steps[-1] - steps[0]) / (len(steps) - 1) if len(steps) > 1 else 0
    print(json.dumps({
        "seconds": end - START, "load_to_first_step": steps[0] - START - step, "denoising": step * len(steps),
        "step": step, "decode": end - steps[-1],
        "peak_memory_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}))


if __name__ == "__main__":
    main()
