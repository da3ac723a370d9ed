"""Measures how cost grows with pictures' sizes, steps, batches and threads, and draws it with what is expected beside.

    python scaling.py measure EASEL MODEL size=256,512 steps=1,5 batch=1,2 threads=1,2 [--precision bf16] [--side 256]
    python scaling.py draw

Each point is a run of `easel bench` (of `easel generate` for steps), and is added to scaling.json beside this file, so that
a long grid can be measured in pieces. Steps and batches are measured at pictures of --side pixels. `draw` writes
scaling.svg.
"""

import argparse
import json
import subprocess
from pathlib import Path

HERE = Path(__file__).parent
RESULTS, PLOT = HERE / "scaling.json", HERE / "scaling.svg"


def line(command):
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)


def measured(easel, model, axis, value, precision, side):
    if axis == "steps":
        told = line([easel, "generate", "--prompt", "a lighthouse", "--seed", "0", "--sampler", "euler", "--json",
                     "-m", model, "--precision", precision, "-W", str(side), "-H", str(side),
                     "--steps", str(value), "-o", "/dev/shm/easel-scaling.png"])
        return {"denoise": told["timings"]["denoise"]}
    size = value if axis == "size" else side
    # Large pictures take long enough to be measured once.
    steps = 1 if size > 768 else 3
    command = [easel, "bench", "--json", "-m", model, "--precision", precision, "--size", str(size),
               "--steps", str(steps), "--rounds", "1"]
    if axis == "batch":
        command += ["--batch-size", str(value)]
    if axis == "threads":
        command += ["--threads", str(value)]
    told = line(command)
    return {key: told[key] for key in
            ("step_seconds", "decode_seconds", "peak_memory_bytes", "step_operations", "share_of_peak", "memory",
             "processor")}


def measure(asked):
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for points in asked.points:
        axis, values = points.split("=")
        for value in map(int, values.split(",")):
            point = measured(asked.easel, asked.model, axis, value, asked.precision, asked.side)
            results["precision"], results["side"] = asked.precision, asked.side
            results.setdefault(axis, {})[str(value)] = point
            RESULTS.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n")
            print(axis, value, point)


def series(results, axis, key):
    points = sorted((int(value), point[key]) for value, point in results.get(axis, {}).items())
    return [value for value, _ in points], [figure for _, figure in points]


def draw(_):
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams.update({"svg.hashsalt": "easel", "svg.fonttype": "none", "font.size": 9})
    from matplotlib import pyplot

    results = json.loads(RESULTS.read_text())
    side = results["side"]
    figure, axes = pyplot.subplots(2, 3, figsize=(11, 6))

    def panel(axis, title, across, up, points, expected, label):
        axis.plot(*expected, color="0.6", linestyle="--", label=label)
        axis.plot(*points, "o-", color="#c0392b", label="measured")
        axis.set(title=title, xlabel=across, ylabel=up)
        axis.set_ylim(0, 1.08 * max(points[1] + list(expected[1])))
        axis.legend(frameon=False, fontsize=8)

    sizes, steps = series(results, "size", "step_seconds")
    operations = series(results, "size", "step_operations")[1]
    middle = sizes.index(512)
    panel(axes[0][0], "a step", "side, pixels", "s", (sizes, steps),
          (sizes, [steps[middle] * count / operations[middle] for count in operations]),
          "the U-Net's operations, at 512's rate")
    decodings = series(results, "size", "decode_seconds")[1]
    panel(axes[0][1], "decoding a picture", "side, pixels", "s", (sizes, decodings),
          (sizes, [decodings[middle] * (size / 512) ** 2 for size in sizes]), "pixels, at 512's rate")
    memory = [byte_count / 1e9 for byte_count in series(results, "size", "peak_memory_bytes")[1]]
    # What does not grow with the picture, and what does, from the two smallest.
    slope = (memory[1] - memory[0]) / (sizes[1] ** 2 - sizes[0] ** 2)
    panel(axes[0][2], "peak memory", "side, pixels", "GB", (sizes, memory),
          (sizes, [memory[0] + slope * (size**2 - sizes[0] ** 2) for size in sizes]),
          "in proportion to pixels, from the first two")

    counts, seconds = series(results, "steps", "denoise")
    panel(axes[1][0], f"all steps, {side}×{side}", "steps", "s", (counts, seconds),
          (counts, [seconds[0] * count / counts[0] for count in counts]), "in proportion")
    batches, times = series(results, "batch", "step_seconds")
    panel(axes[1][1], f"a step of a batch, {side}×{side}", "pictures", "s", (batches, times),
          (batches, [times[0] * batch / batches[0] for batch in batches]), "in proportion")
    threads, times = series(results, "threads", "step_seconds")
    panel(axes[1][2], f"a step, {side}×{side}", "threads", "s", (threads, times),
          (threads, [times[0] * threads[0] / count for count in threads]), "one thread's, divided")
    for axis in (axes[1][1], axes[1][2]):
        axis.set_xticks(axis.lines[1].get_xdata())
    processor = next(iter(results["size"].values()))["processor"]
    figure.suptitle(f"Stable Diffusion 1.5's sizes, {results['precision']}, guidance, {processor}", fontsize=10)
    figure.tight_layout()
    figure.savefig(PLOT, metadata={"Date": None})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    measuring = commands.add_parser("measure")
    measuring.add_argument("easel")
    measuring.add_argument("model")
    measuring.add_argument("points", nargs="+", metavar="AXIS=VALUES")
    measuring.add_argument("--precision", choices=["f32", "bf16", "f16", "int8"], default="bf16")
    measuring.add_argument("--side", type=int, default=256)
    measuring.set_defaults(work=measure)
    commands.add_parser("draw").set_defaults(work=draw)
    asked = parser.parse_args()
    asked.work(asked)


if __name__ == "__main__":
    main()
