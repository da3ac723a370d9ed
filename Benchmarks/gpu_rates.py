"""How fast NVIDIA's own libraries are at what U-Nets are made of: cuBLAS, cuDNN, flash attention, and copies.

    python gpu_rates.py [--products 8192x320x320,…] [--processor cpu]

Numbers of 16 bits, sums of 32. Each line of JSON is one shape: the median time of one call, of many that run in a row
from a CUDA graph, so that starting them costs nothing. `VulkanStep rates --peer FILE` sets its own beside them.
`--processor cpu` shows that the script runs, and nothing else.
"""

import argparse
import json
import statistics
import time

import torch
import torch.nn.functional as functional

# Rows × columns × depth of Stable Diffusion 1.5's U-Net at 512×512, both passes of guidance.
PRODUCTS = [
    (8192, 320, 320), (8192, 2560, 320), (8192, 320, 1280), (2048, 640, 640), (2048, 5120, 640), (2048, 640, 2560),
    (512, 1280, 1280), (512, 10240, 1280), (512, 1280, 5120), (8192, 8192, 8192)]
# Pictures, side, channels in and out of 3×3 kernels; the last two are the autoencoder's.
CONVOLUTIONS = [
    (2, 64, 320, 320), (2, 64, 640, 320), (2, 64, 960, 320), (2, 32, 640, 640), (2, 32, 1280, 640),
    (2, 32, 1920, 640), (2, 16, 1280, 1280), (2, 16, 2560, 1280), (2, 8, 1280, 1280), (2, 8, 2560, 1280),
    (1, 512, 128, 128), (1, 256, 256, 256)]
# Pictures, heads, queries, keys, size of a head.
ATTENTIONS = [
    (2, 8, 4096, 4096, 40), (2, 8, 1024, 1024, 80), (2, 8, 256, 256, 160), (2, 8, 4096, 77, 40),
    (2, 10, 4096, 4096, 64)]
IN_A_ROW = 20


def seconds(work, on_gpu):
    """The median time of one call."""
    if not on_gpu:
        start = time.perf_counter()
        work()
        return time.perf_counter() - start
    aside = torch.cuda.Stream()
    with torch.cuda.stream(aside):
        for _ in range(3):
            work()
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        for _ in range(IN_A_ROW):
            work()
    times = []
    for run in range(14):
        start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        start.record()
        graph.replay()
        end.record()
        end.synchronize()
        if run >= 3:
            times.append(start.elapsed_time(end) / 1e3 / IN_A_ROW)
    return statistics.median(times)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--products", help="rows×columns×depth, as 8192x320x320, with commas between")
    parser.add_argument("--processor", choices=["cuda", "cpu"], default="cuda")
    asked = parser.parse_args()
    on_gpu = asked.processor == "cuda"
    torch.backends.cuda.matmul.allow_fp16_reduced_precision_reduction = False
    torch.backends.cudnn.benchmark = True
    products = PRODUCTS
    if asked.products:
        products = [tuple(map(int, one.split("x"))) for one in asked.products.split(",")]

    def noise(*shape):
        return torch.randn(shape, device=asked.processor, dtype=torch.float16 if on_gpu else torch.float32)

    def tell(kind, sizes, operations, work):
        took = seconds(work, on_gpu)
        print(json.dumps({
            "figures": "rate", "what": f"{kind} {'×'.join(map(str, sizes))}", "seconds": took,
            "tflops": operations / took / 1e12}), flush=True)

    if on_gpu:
        print(json.dumps({"device": torch.cuda.get_device_name(), "torch": torch.__version__}), flush=True)
        source = torch.empty(1 << 30, device=asked.processor, dtype=torch.uint8)
        target = torch.empty_like(source)
        took = seconds(lambda: target.copy_(source), on_gpu)
        print(json.dumps({
            "figures": "copies", "bytes_per_second": 2 * source.numel() / took}), flush=True)
        del source, target
    for rows, columns, depth in products:
        x, weights = noise(rows, depth), noise(columns, depth)
        tell(
            "product", (rows, columns, depth), 2 * rows * columns * depth,
            lambda: functional.linear(x, weights))
    for pictures, side, channels, outputs in CONVOLUTIONS if on_gpu else CONVOLUTIONS[8:9]:
        x = noise(pictures, channels, side, side).to(memory_format=torch.channels_last)
        kernel = noise(outputs, channels, 3, 3).to(memory_format=torch.channels_last)
        tell(
            "convolution", (pictures, side, channels, outputs), 2 * pictures * side**2 * outputs * channels * 9,
            lambda: functional.conv2d(x, kernel, padding=1))
    for pictures, heads, queries, keys, size in ATTENTIONS if on_gpu else ATTENTIONS[2:3]:
        # As networks have them: heads side by side in a row.
        q, k, v = (
            noise(pictures, length, heads, size).transpose(1, 2) for length in (queries, keys, keys))
        tell(
            "attention", (pictures, heads, queries, keys, size), 4 * pictures * heads * queries * keys * size,
            lambda: functional.scaled_dot_product_attention(q, k, v))


if __name__ == "__main__":
    with torch.no_grad():
        main()
