"""diffusers on a GPU, for VulkanStep to be compared with: times of pictures, of steps and of decoding, and memory.

    python gpu_diffusers.py MODEL [--size 512] [--steps 20] [--runs 5]
        [--modes eager,channels_last,compile,compile-unet,reduce-overhead]

Each mode prints a line of JSON; times are medians, in seconds, after pictures that are not counted. A mode is compared by
what a whole picture takes, from the prompt to pixels. `--processor cpu` shows that the script runs, and nothing else.
"""

import argparse
import json
import statistics
import time

import torch
from diffusers import DiffusionPipeline

PROMPT = "a red apple on a table"


class Peer:
    def __init__(self, asked):
        self.asked = asked
        self.isGPU = asked.processor == "cuda"
        self.type = torch.float16 if self.isGPU else torch.float32
        start = time.perf_counter()
        self.pipeline = DiffusionPipeline.from_pretrained(asked.model, torch_dtype=self.type).to(asked.processor)
        self.pipeline.set_progress_bar_config(disable=True)
        self.wait()
        self.loadSeconds = time.perf_counter() - start
        self.unet, self.decode = self.pipeline.unet, self.pipeline.vae.decode

    def wait(self):
        if self.isGPU:
            torch.cuda.synchronize()

    def prepare(self, mode):
        """Sets the networks up for a mode; what was compiled before is forgotten."""
        self.pipeline.unet, self.pipeline.vae.decode = self.unet, self.decode
        torch._dynamo.reset()
        if mode == "eager":
            return
        self.unet.to(memory_format=torch.channels_last)
        self.pipeline.vae.to(memory_format=torch.channels_last)
        if mode == "channels_last":
            return
        options = {} if mode in ("compile", "compile-unet") else {"mode": mode}
        self.pipeline.unet = torch.compile(self.unet, fullgraph=True, **options)
        if mode != "compile-unet":
            self.pipeline.vae.decode = torch.compile(self.decode, fullgraph=True, **options)

    def picture(self):
        asked = self.asked
        return self.pipeline(
            PROMPT, num_inference_steps=asked.steps, guidance_scale=7.5, width=asked.size, height=asked.size,
            generator=torch.Generator("cpu").manual_seed(42)).images[0]

    def seconds(self, work, runs):
        """The median of runs that are waited for."""
        times = []
        for _ in range(runs):
            self.wait()
            start = time.perf_counter()
            work()
            self.wait()
            times.append(time.perf_counter() - start)
        return statistics.median(times), times

    def networks(self):
        """One prediction for both passes of guidance, and one picture's decoding, as functions."""
        configuration, processor = self.unet.config, self.asked.processor
        side = self.asked.size // self.pipeline.vae_scale_factor

        def noise(*shape):
            return torch.randn(shape, device=processor, dtype=self.type)

        inputs = {"encoder_hidden_states": noise(2, 77, configuration.cross_attention_dim), "return_dict": False}
        if configuration.addition_embed_type == "text_time":
            width = configuration.projection_class_embeddings_input_dim - 6 * configuration.addition_time_embed_dim
            inputs["added_cond_kwargs"] = {"text_embeds": noise(2, width), "time_ids": noise(2, 6)}
        latents, single = noise(2, configuration.in_channels, side, side), noise(1, 4, side, side)
        # Of the same type as in pictures, for which networks may have been compiled.
        timestep = self.pipeline.scheduler.timesteps[0].to(processor)
        return (
            lambda: self.pipeline.unet(latents, timestep, **inputs),
            lambda: self.pipeline.vae.decode(single, return_dict=False))

    def measure(self, mode):
        asked = self.asked
        self.prepare(mode)
        if self.isGPU:
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()
        first, _ = self.seconds(self.picture, 1)
        self.picture()
        picture, times = self.seconds(self.picture, asked.runs)
        peak = torch.cuda.max_memory_allocated() if self.isGPU else None
        reserved = torch.cuda.max_memory_reserved() if self.isGPU else None
        with torch.no_grad():
            step, decode = self.networks()
            for network in (step, decode):
                self.seconds(network, 3)
            stepSeconds, _ = self.seconds(step, 4 * asked.runs)
            decodeSeconds, _ = self.seconds(decode, 2 * asked.runs)
        return {
            "figures": "diffusers", "mode": mode, "size": asked.size, "steps": asked.steps,
            "device": torch.cuda.get_device_name() if self.isGPU else "cpu", "torch": torch.__version__,
            "load_seconds": self.loadSeconds, "first_seconds": first, "median_picture_seconds": picture,
            "picture_seconds": times, "median_step_seconds": stepSeconds, "median_decode_seconds": decodeSeconds,
            "peak_memory_bytes": peak, "peak_reserved_bytes": reserved}


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--modes", default="eager,channels_last,compile")
    parser.add_argument("--processor", choices=["cuda", "cpu"], default="cuda")
    asked = parser.parse_args()
    peer = Peer(asked)
    for mode in asked.modes.split(","):
        try:
            print(json.dumps(peer.measure(mode)), flush=True)
        except Exception as error:
            print(json.dumps({"figures": "diffusers", "mode": mode, "error": f"{error}"[:2000]}), flush=True)


if __name__ == "__main__":
    with torch.no_grad():
        main()
