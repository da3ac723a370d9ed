"""Writes what diffusers makes of tiny models with adapters (LoRA and its kin) of every layout, in f32:
Tests/Golden/adapters/<adapter>.json, the file's tensors, and adapters.safetensors, the latents.

    python Tests/Golden/adapters.py

The weights follow from each tensor's name and shape, as in families.py. LoRA and DoRA are loaded by diffusers and PEFT;
of LoHa, LoKr and convolutions' LoRA, LyCORIS says what they add.
"""

import json
import tempfile
from pathlib import Path

import torch
from lycoris.functional import lokr, loha
from peft import LoraConfig, inject_adapter_in_model
from safetensors.torch import save_file

from families import FAMILIES, REQUESTS, latents, unet_names, values
from networks import HERE, save

FOLDER = HERE / "adapters"
RANK = 4


def matrices(network):
    """The layers that LoRA changes, with the sizes of their matrices."""
    return {
        name: module.weight.shape for name, module in network.named_modules()
        if isinstance(module, torch.nn.Linear) and any(
            part in name for part in ["attn", "ff.net", "fc1", "fc2", "proj_in", "proj_out"])}


def convolutions(network):
    return {
        name: module.weight.shape for name, module in network.named_modules()
        if isinstance(module, torch.nn.Conv2d) and any(part in name for part in ["resnets", "proj_in", "samplers"])}


def kohya(prefix, layer):
    return prefix + layer.replace(".", "_")


def low_rank(layer, shape, names=("lora_down.weight", "lora_up.weight")):
    down, up = names
    kernel = list(shape[2:])
    ones = [1] * len(kernel)
    return {f"{layer}{down}": [RANK, shape[1], *kernel], f"{layer}{up}": [shape[0], RANK, *ones]}


def text_name(layer):
    return layer if layer.startswith("text_model") else "text_model." + layer


def kohya_file(pipeline, name_of=lambda layer: layer):
    shapes, alphas = {}, {}
    for layer, shape in matrices(pipeline.unet).items():
        key = kohya("lora_unet_", name_of(layer))
        shapes |= low_rank(key + ".", shape)
        alphas[key + ".alpha"] = 2.0
    encoders = [("lora_te_", pipeline.text_encoder)]
    if hasattr(pipeline, "text_encoder_2"):
        encoders = [("lora_te1_", pipeline.text_encoder), ("lora_te2_", pipeline.text_encoder_2)]
    for prefix, encoder in encoders:
        for layer, shape in matrices(encoder).items():
            key = kohya(prefix, text_name(layer))
            shapes |= low_rank(key + ".", shape)
            alphas[key + ".alpha"] = 3.0
    return shapes, alphas


def projection_file(pipeline):
    """The second text encoder's projection, beside one of its layers."""
    shapes, alphas = {}, {}
    layers = matrices(pipeline.text_encoder_2)
    attention = next(layer for layer in layers if layer.endswith("q_proj"))
    for layer, shape in [
        ("text_projection", pipeline.text_encoder_2.text_projection.weight.shape), (text_name(attention), layers[attention]),
    ]:
        key = kohya("lora_te2_", layer)
        shapes |= low_rank(key + ".", shape)
        alphas[key + ".alpha"] = 3.0
    return shapes, alphas


def convolution_file(pipeline):
    """LoCon: convolutions too, one of them with a core."""
    shapes, alphas = {}, {}
    for index, (layer, shape) in enumerate(convolutions(pipeline.unet).items()):
        key = kohya("lora_unet_", layer)
        if index % 3 == 1 and shape[2:] == (3, 3):
            shapes |= {
                f"{key}.lora_down.weight": [RANK, shape[1], 1, 1], f"{key}.lora_mid.weight": [RANK, RANK, 3, 3],
                f"{key}.lora_up.weight": [shape[0], RANK, 1, 1],
            }
        else:
            shapes |= low_rank(key + ".", shape)
        alphas[f"{key}.alpha"] = 1.0
    return shapes, alphas


def peft_file(pipeline):
    shapes = {}
    for layer, shape in matrices(pipeline.unet).items():
        shapes |= low_rank(f"unet.{layer}.", shape, ("lora_A.weight", "lora_B.weight"))
    for layer, shape in matrices(pipeline.text_encoder).items():
        shapes |= low_rank(f"text_encoder.{text_name(layer)}.", shape, ("lora_A.weight", "lora_B.weight"))
    return shapes, {}


def processor_file(pipeline):
    """diffusers' own layout before PEFT: of attention alone, in its processors."""
    shapes = {}
    for layer, shape in matrices(pipeline.unet).items():
        path, _, projection = layer.partition(".to_")
        if projection:
            key = f"unet.{path}.processor.to_{projection.removesuffix('.0')}_lora."
            shapes |= low_rank(key, shape, ("down.weight", "up.weight"))
    for layer, shape in matrices(pipeline.text_encoder).items():
        if layer.endswith("_proj"):
            path, kind = text_name(layer).rsplit(".", 1)
            key = f"text_encoder.{path}.to_{kind.removesuffix('_proj')}_lora."
            shapes |= low_rank(key, shape, ("down.weight", "up.weight"))
    return shapes, {}


def magnitude_file(pipeline):
    """DoRA."""
    shapes, alphas = {}, {}
    for layer, shape in matrices(pipeline.unet).items():
        if "attn" in layer:
            key = kohya("lora_unet_", layer)
            shapes |= low_rank(key + ".", shape) | {f"{key}.dora_scale": [shape[0], 1]}
            alphas[key + ".alpha"] = 2.0
    return shapes, alphas


def hadamard_file(pipeline):
    shapes, alphas = {}, {}
    for index, (layer, shape) in enumerate((matrices(pipeline.unet) | convolutions(pipeline.unet)).items()):
        key = kohya("lora_unet_", layer)
        out, inputs, *kernel = shape
        cells = int(torch.Size(kernel).numel()) if kernel else 1
        if kernel == [3, 3] and index % 2:
            shapes |= {
                f"{key}.hada_t1": [RANK, RANK, 3, 3], f"{key}.hada_t2": [RANK, RANK, 3, 3],
                f"{key}.hada_w1_a": [RANK, out], f"{key}.hada_w1_b": [RANK, inputs],
                f"{key}.hada_w2_a": [RANK, out], f"{key}.hada_w2_b": [RANK, inputs],
            }
        else:
            shapes |= {
                f"{key}.hada_w1_a": [out, RANK], f"{key}.hada_w1_b": [RANK, inputs * cells],
                f"{key}.hada_w2_a": [out, RANK], f"{key}.hada_w2_b": [RANK, inputs * cells],
            }
        alphas[f"{key}.alpha"] = 2.0
    return shapes, alphas


def kronecker_file(pipeline):
    shapes, alphas = {}, {}
    for index, (layer, shape) in enumerate((matrices(pipeline.unet) | convolutions(pipeline.unet)).items()):
        key = kohya("lora_unet_", layer)
        out, inputs, *kernel = shape
        cells = int(torch.Size(kernel).numel()) if kernel else 1
        rows, columns = out // 4, inputs // 8
        first = {f"{key}.lokr_w1": [4, 8]}
        if index % 4 == 0:
            first = {f"{key}.lokr_w1_a": [4, 2], f"{key}.lokr_w1_b": [2, 8]}
        if index % 3 == 0:
            second = {f"{key}.lokr_w2": [rows, columns, *kernel]}
        elif kernel == [3, 3] and index % 2:
            second = {
                f"{key}.lokr_t2": [2, 2, 3, 3], f"{key}.lokr_w2_a": [2, rows], f"{key}.lokr_w2_b": [2, columns]}
        else:
            second = {f"{key}.lokr_w2_a": [rows, 2], f"{key}.lokr_w2_b": [2, columns * cells]}
        shapes |= first | second
        alphas[f"{key}.alpha"] = 1.0
    return shapes, alphas


def layers_of(pipeline):
    """The modules by kohya's names."""
    layers = {kohya("lora_unet_", name): module for name, module in pipeline.unet.named_modules()}
    encoders = {"lora_te_": pipeline.text_encoder, "lora_te1_": pipeline.text_encoder}
    if hasattr(pipeline, "text_encoder_2"):
        encoders["lora_te2_"] = pipeline.text_encoder_2
    for prefix, encoder in encoders.items():
        layers |= {kohya(prefix, text_name(name)): module for name, module in encoder.named_modules()}
        if hasattr(encoder, "text_projection"):
            layers[prefix + "text_projection"] = encoder.text_projection
    return layers


def fuse(pipeline, file, strength):
    """Adds what LyCORIS says that the file's matrices add."""
    layers = layers_of(pipeline)
    for key in sorted({name.split(".")[0] for name in file}):
        part = {name[len(key) + 1 :]: value for name, value in file.items() if name.startswith(key + ".")}
        weight = layers[key].weight
        alpha = part["alpha"].item()
        if "hada_w1_a" in part:
            change = loha.diff_weight(
                part["hada_w1_b"], part["hada_w1_a"], part["hada_w2_b"], part["hada_w2_a"], part.get("hada_t1"),
                part.get("hada_t2"), gamma=alpha / RANK)
        elif "lokr_w1" in part or "lokr_w1_a" in part:
            rank = next((len(part[name]) for name in ["lokr_w2_b", "lokr_w1_b"] if name in part), None)
            get = part.get
            second = get("lokr_w2_b")
            kernel = weight.shape[2:]
            if second is not None and kernel and "lokr_t2" not in part:
                second = second.reshape(len(second), -1, *kernel)
            change = lokr.kron_weight(
                get("lokr_w1"), get("lokr_w1_a"), get("lokr_w1_b"), get("lokr_w2"), get("lokr_w2_a"), second,
                get("lokr_t2"), scale=alpha / rank if rank else 1)
        elif "lora_mid.weight" in part:
            change = torch.einsum(
                "oi,ijkl,jc->ockl", part["lora_up.weight"].flatten(1), part["lora_mid.weight"],
                part["lora_down.weight"].flatten(1)) * alpha / RANK
        else:
            change = part["lora_up.weight"].flatten(1) @ part["lora_down.weight"].flatten(1) * alpha / RANK
        weight += strength * change.reshape(weight.shape)


def load(pipeline, file, strength):
    """Lets diffusers and PEFT read the file."""
    with tempfile.TemporaryDirectory() as folder:
        save_file(file, Path(folder) / "adapter.safetensors")
        pipeline.load_lora_weights(folder, weight_name="adapter.safetensors", adapter_name="a")
    pipeline.set_adapters(["a"], [strength])
    networks = [pipeline.unet, pipeline.text_encoder, getattr(pipeline, "text_encoder_2", None)]
    count = sum("lora_A" in name for network in networks if network for name, _ in network.named_parameters())
    wanted = sum(name.endswith(("lora_down.weight", "lora_A.weight", "lora.down.weight")) for name in file)
    assert count == wanted, (count, wanted)


def weight_decompose(pipeline, file, strength):
    """Lets PEFT apply DoRA, which diffusers leaves out of kohya's files."""
    names = {kohya("lora_unet_", name): name for name in matrices(pipeline.unet)}
    keys = {name.split(".")[0] for name in file}
    config = LoraConfig(r=RANK, lora_alpha=2, use_dora=True, target_modules=[names[key] for key in keys])
    inject_adapter_in_model(config, pipeline.unet)
    layers = dict(pipeline.unet.named_modules())
    for key in keys:
        layer = layers[names[key]]
        layer.lora_A["default"].weight.copy_(file[f"{key}.lora_down.weight"])
        layer.lora_B["default"].weight.copy_(file[f"{key}.lora_up.weight"])
        layer.lora_magnitude_vector["default"].weight.copy_(file[f"{key}.dora_scale"].flatten())
    assert strength == 1


def compvis(pipeline):
    names = unet_names(pipeline.unet.config)

    def name(layer):
        module = max((key for key in names if layer.startswith(key + ".")), key=len)
        return names[module] + layer[len(module) :]

    return name


ADAPTERS = {
    "kohya": ("sd1", kohya_file, fuse), "peft": ("sd1", peft_file, None), "processors": ("sd1", processor_file, None),
    "convolutions": ("sd1", convolution_file, fuse), "dora": ("sd1", magnitude_file, weight_decompose),
    "loha": ("sd1", hadamard_file, fuse), "lokr": ("sd1", kronecker_file, fuse),
    "kohya-xl": ("xl", lambda pipeline: kohya_file(pipeline, compvis(pipeline)), None),
    "projection-xl": ("xl", projection_file, fuse),
}
STRENGTH = 0.75


def fuse_by_name(pipeline, file, strength):
    """LoRA of the layouts whose names are not kohya's: A and B are multiplied."""
    layers = {
        f"{prefix}.{text_name(name) if 'text' in prefix else name}": module
        for prefix, network in [("unet", pipeline.unet), ("text_encoder", pipeline.text_encoder)]
        for name, module in network.named_modules()}
    for name, down in file.items():
        if name.endswith(".lora_A.weight"):
            layer, up = name.removesuffix(".lora_A.weight"), name.replace("lora_A", "lora_B")
        elif name.endswith("_lora.down.weight"):
            layer, up = name.removesuffix("_lora.down.weight").replace(".processor", ""), name.replace(".down.", ".up.")
            if layer.startswith("unet"):
                layer += ".0" if layer.endswith("to_out") else ""
            else:
                path, kind = layer.rsplit(".to_", 1)
                layer = f"{path}.{kind}_proj"
        else:
            continue
        layers[layer].weight += strength * (file[up] @ down)


def fuse_compvis(pipeline, file, strength):
    modules = {kohya("lora_unet_", compvis(pipeline)(name)): kohya("lora_unet_", name) for name in matrices(pipeline.unet)}
    renamed = {}
    for name, value in file.items():
        layer, rest = name.split(".", 1)
        renamed[f"{modules.get(layer, layer)}.{rest}"] = value
    fuse(pipeline, renamed, strength)


def main():
    torch.set_grad_enabled(False)
    torch.set_num_threads(1)
    FOLDER.mkdir(exist_ok=True)
    results = {}
    for adapter, (family, make, apply) in ADAPTERS.items():
        _, pipeline = FAMILIES[family]()
        pipeline.set_progress_bar_config(disable=True)
        shapes, constants = make(pipeline)
        file = {name: values(name, shape) for name, shape in shapes.items()}
        file |= {name: torch.tensor(value) for name, value in constants.items()}
        strength = 1 if adapter == "dora" else STRENGTH
        if apply is None:
            apply = fuse_compvis if family == "xl" else fuse_by_name
        apply(pipeline, file, strength)
        results[adapter] = latents(pipeline, REQUESTS[0])
        assert results[adapter].isfinite().all() and results[adapter].abs().max() < 100
        if adapter in ["kohya", "peft", "processors", "kohya-xl"]:
            # diffusers' own reading of the U-Net's part agrees.
            _, other = FAMILIES[family]()
            own = {name: value for name, value in file.items() if "unet" in name}
            load(other, own, STRENGTH)
            other.unet.fuse_lora(1.0)
            other.unet.unload_lora()
            fused = dict(pipeline.unet.named_parameters())
            for name, value in other.unet.named_parameters():
                assert torch.allclose(value, fused[name], atol=1e-5), name
        document = {
            "family": family, "strength": strength, "constants": constants,
            "tensors": {name: shapes[name] for name in sorted(shapes)},
        }
        (FOLDER / f"{adapter}.json").write_text(json.dumps(document, indent=0) + "\n", encoding="utf-8")
        print(adapter, float(results[adapter].abs().max()))
    save(FOLDER / "adapters.safetensors", results)


if __name__ == "__main__":
    main()
