"""One step of diffusers' U-Net in OpenVINO's own conversion, timed; speaks as UNetStep does.

    python unet_step_openvino.py MODEL PRECISION [THREADS]
"""

import json
import sys
import time
from pathlib import Path

import numpy
import openvino


def convert(model, file):
    import torch
    from diffusers import UNet2DConditionModel

    unet = UNet2DConditionModel.from_pretrained(model / "unet", torch_dtype=torch.float32).eval()

    class Prediction(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.unet = unet

        def forward(self, latents, timestep, context):
            return self.unet(latents, timestep, context, return_dict=False)[0]

    shapes = [[2, 4, 64, 64], [], [2, 77, 768]]
    example = (torch.randn(shapes[0]), torch.tensor(500.0), torch.randn(shapes[2]))
    with torch.no_grad():
        converted = openvino.convert_model(Prediction(), example_input=example, input=shapes)
    openvino.save_model(converted, file, compress_to_fp16=True)


def conversion(model):
    """The converted U-Net's file, written once beside the model."""
    file = model / "openvino-conversion.xml"
    if not file.exists():
        convert(model, file)
    return file


def main():
    model, precision = Path(sys.argv[1]), sys.argv[2]
    threads = int(sys.argv[3]) if len(sys.argv) > 3 else 0
    file = conversion(model)
    start = time.perf_counter()
    compiled = openvino.Core().compile_model(file, "CPU", {
        "PERFORMANCE_HINT": "LATENCY", "NUM_STREAMS": "1", "INFERENCE_PRECISION_HINT": precision,
        "INFERENCE_NUM_THREADS": threads})
    print(json.dumps({"ready": time.perf_counter() - start}), flush=True)
    request = compiled.create_infer_request()
    random = numpy.random.default_rng(0)
    inputs = [
        random.uniform(-1, 1, (2, 4, 64, 64)).astype("float32"), numpy.array(500, "float32"),
        random.uniform(-1, 1, (2, 77, 768)).astype("float32")]
    for line in sys.stdin:
        if line.strip() == "run":
            start = time.perf_counter()
            request.infer(inputs)
            print(json.dumps({"seconds": time.perf_counter() - start}), flush=True)


if __name__ == "__main__":
    main()
