"""Writes what PEFT, diffusers and LyCORIS make of tiny models with adapters of today's layouts, in f32:
Tests/Golden/adapters/<adapter>.json, the file's tensors and what says their scale, and saved.safetensors, the latents.

    python Tests/Golden/saved_adapters.py

The names are those that PEFT's and diffusers' own writers give; OneTrainer's follow its convert_lora_util.py. The weights
follow from each tensor's name and shape, as in families.py.
"""

import json
import tempfile
from pathlib import Path

import torch
from diffusers.training_utils import _collate_lora_metadata
from diffusers.utils import convert_state_dict_to_diffusers
from lycoris.functional.general import weight_decompose
from peft import LoHaConfig, LoKrConfig, LoraConfig, PeftModel, get_peft_model, get_peft_model_state_dict
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from adapters import compvis, convolutions, matrices, text_name
from families import FAMILIES, REQUESTS, latents, request, values
from networks import HERE, save

FOLDER = HERE / "adapters"
RANK = 4
STRENGTH = 0.5


def peft():
    """PEFT's own folder, of the U-Net alone: DoRA of matrices and convolutions, with an alpha of their own for some."""
    _, pipeline = FAMILIES["sd1"]()
    layers = [name for name in matrices(pipeline.unet) if "attn" in name]
    layers += [name for index, name in enumerate(convolutions(pipeline.unet)) if index % 2]
    config = LoraConfig(
        r=RANK, lora_alpha=6, use_dora=True, target_modules=layers, rank_pattern={"attn2.to_k": 2},
        alpha_pattern={"attn1.to_q": 1, layers[-1]: 3})
    shapes = {}
    with tempfile.TemporaryDirectory() as folder:
        get_peft_model(pipeline.unet, config).save_pretrained(folder)
        names = load_file(Path(folder) / "adapter_model.safetensors")
        settings = json.loads((Path(folder) / "adapter_config.json").read_text(encoding="utf-8"))
        shapes = {name: list(value.shape) for name, value in names.items()}
        save_file({name: values(name, shape) for name, shape in shapes.items()}, Path(folder) / "adapter_model.safetensors")
        _, pipeline = FAMILIES["sd1"]()
        pipeline.unet = PeftModel.from_pretrained(pipeline.unet, folder).merge_and_unload()
    return pipeline, dict(family="sd1", strength=1.0, configuration=settings), shapes, {}


def saved_by_peft(part, config):
    """PEFT's own folder of an adapter of one network, its settings and what it makes of the model."""
    _, pipeline = FAMILIES["sd1"]()
    with tempfile.TemporaryDirectory() as folder:
        get_peft_model(getattr(pipeline, part), config(getattr(pipeline, part))).save_pretrained(folder)
        path = Path(folder) / "adapter_model.safetensors"
        shapes = {name: list(value.shape) for name, value in load_file(path).items()}
        settings = json.loads((Path(folder) / "adapter_config.json").read_text(encoding="utf-8"))
        save_file({name: values(name, shape) for name, shape in shapes.items()}, path)
        _, pipeline = FAMILIES["sd1"]()
        setattr(pipeline, part, PeftModel.from_pretrained(getattr(pipeline, part), folder).merge_and_unload())
    return pipeline, dict(family="sd1", strength=1.0, configuration=settings), shapes, {}


def peft_text():
    """DoRA of the text encoder alone."""
    return saved_by_peft("text_encoder", lambda encoder: LoraConfig(
        r=RANK, lora_alpha=2, use_dora=True, target_modules=list(matrices(encoder))))


def peft_loha():
    """LoHa of matrices and convolutions, these with cores."""
    return saved_by_peft("unet", lambda unet: LoHaConfig(
        r=RANK, alpha=6, use_effective_conv2d=True, alpha_pattern={"attn2.to_v": 2},
        target_modules=[*matrices(unet), *convolutions(unet)]))


def peft_lokr():
    """LoKr of matrices and convolutions, both factors of which are products where they are large."""
    return saved_by_peft("unet", lambda unet: LoKrConfig(
        r=2, alpha=3, use_effective_conv2d=True, decompose_both=True, decompose_factor=8, rank_pattern={"attn2.to_k": 1},
        target_modules=[*matrices(unet), *convolutions(unet)]))


def diffusers_xl():
    """diffusers' save_lora_weights, of the U-Net and both text encoders, with PEFT's settings in the file's notes."""
    _, pipeline = FAMILIES["xl"]()
    networks = {"unet": pipeline.unet, "text_encoder": pipeline.text_encoder, "text_encoder_2": pipeline.text_encoder_2}
    for name, network in networks.items():
        text = "text" in name
        network.add_adapter(LoraConfig(
            r=RANK, lora_alpha=2, use_rslora=text, alpha_pattern={} if text else {"attn2.to_v": 1},
            target_modules=["q_proj", "v_proj", "fc1"] if text else ["to_q", "to_k", "to_v", "to_out.0", "ff.net.2"]),
            **({"adapter_name": "default"} if text else {}))
    states = {
        f"{name}_lora_layers": convert_state_dict_to_diffusers(get_peft_model_state_dict(network))
        for name, network in networks.items()}
    with tempfile.TemporaryDirectory() as folder:
        pipeline.save_lora_weights(folder, **states, **_collate_lora_metadata(networks))
        path = Path(folder) / "pytorch_lora_weights.safetensors"
        with safe_open(path, "pt") as saved:
            metadata = saved.metadata()
            shapes = {name: list(saved.get_slice(name).get_shape()) for name in saved.keys()}
        save_file({name: values(name, shape) for name, shape in shapes.items()}, path, metadata)
        _, pipeline = FAMILIES["xl"]()
        pipeline.load_lora_weights(folder, weight_name=path.name, adapter_name="a")
    # transformers gives the layers that it wraps new weights.
    _, own = FAMILIES["xl"]()
    for name in ["text_encoder", "text_encoder_2"]:
        weights = getattr(own, name).state_dict()
        for key, value in getattr(pipeline, name).state_dict().items():
            if "lora_" not in key:
                value.copy_(weights[key.replace(".base_layer", "")])
    pipeline.set_adapters(["a"], [STRENGTH])
    count = sum(
        "lora_A" in name for network in [pipeline.unet, pipeline.text_encoder, pipeline.text_encoder_2]
        for name, _ in network.named_parameters())
    assert 2 * count == len(shapes), (count, len(shapes))
    return pipeline, dict(family="xl", strength=STRENGTH, metadata=metadata), shapes, {}


def one_trainer():
    """OneTrainer's DoRA in ComfyUI's layout, with magnitudes for inputs as is its default, and a bundled word."""
    _, pipeline = FAMILIES["sd1"]()
    name_of = compvis(pipeline)
    shapes, alphas, layers = {}, {}, {}

    def add(path, module, decomposes):
        shape = list(module.weight.shape)
        ones = [1] * len(shape[2:])
        shapes.update({f"{path}.lora_A.weight": [RANK, *shape[1:]], f"{path}.lora_B.weight": [shape[0], RANK, *ones]})
        if decomposes:
            shapes[f"{path}.dora_scale"] = [1, shape[1], *ones]
        alphas[f"{path}.alpha"] = 3.0
        layers[path] = module

    modules = dict(pipeline.unet.named_modules())
    for index, name in enumerate(matrices(pipeline.unet) | convolutions(pipeline.unet)):
        layer = name_of(name + ".").removesuffix(".")
        add("diffusion_model." + (resnet_name(layer) if "resnets" in name else layer), modules[name], decomposes=index % 3 != 0)
    texts = dict(pipeline.text_encoder.named_modules())
    for name in matrices(pipeline.text_encoder):
        add("text_encoders.clip_l.transformer." + text_name(name), texts[name], decomposes=False)
    word = "bundle_emb.<sketch>.clip_l"
    shapes[word] = [2, pipeline.text_encoder.config.hidden_size]
    for path, module in layers.items():
        down, up = (values(name, shapes[name]) for name in [f"{path}.lora_A.weight", f"{path}.lora_B.weight"])
        changed = module.weight + (up.flatten(1) @ down.flatten(1)).reshape(module.weight.shape) * alphas[f"{path}.alpha"] / RANK
        if (name := f"{path}.dora_scale") in shapes:
            changed = weight_decompose(changed, values(name, shapes[name]), wd_on_out=False)
        module.weight.copy_(changed)
    pipeline.load_textual_inversion({"<sketch>": values(word, shapes[word])})
    return pipeline, dict(family="sd1", strength=1.0), shapes, alphas


def resnet_name(layer):
    """CompVis' name of a layer of a residual block, of diffusers' name in CompVis' block."""
    for ours, theirs in [
        ("conv1", "in_layers.2"), ("conv2", "out_layers.3"), ("conv_shortcut", "skip_connection"),
    ]:
        if layer.endswith("." + ours):
            return layer.removesuffix(ours) + theirs
    return layer


ADAPTERS = {
    "peft-folder": peft, "diffusers-xl": diffusers_xl, "onetrainer": one_trainer, "peft-text": peft_text,
    "peft-loha": peft_loha, "peft-lokr": peft_lokr,
}


def main():
    torch.set_grad_enabled(False)
    torch.set_num_threads(1)
    results = {}
    for adapter, make in ADAPTERS.items():
        pipeline, document, shapes, constants = make()
        pipeline.set_progress_bar_config(disable=True)
        # The word that one of them bundles is in the prompt.
        one = request(prompt="a cat by <sketch>") if adapter == "onetrainer" else REQUESTS[0]
        results[adapter] = latents(pipeline, one)
        assert results[adapter].isfinite().all() and results[adapter].abs().max() < 100
        document |= {
            "prompt": one["prompt"], "constants": constants,
            "tensors": {name: shapes[name] for name in sorted(shapes)},
        }
        (FOLDER / f"{adapter}.json").write_text(json.dumps(document, indent=0) + "\n", encoding="utf-8")
        print(adapter, len(shapes), float(results[adapter].abs().max()))
    save(FOLDER / "saved.safetensors", results)


if __name__ == "__main__":
    main()
