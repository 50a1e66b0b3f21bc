"""Writes tiny quantised Llama folders with the libraries that invented the formats, and what their weights are.

    python tools/oracles/quantized_folders.py --out FOLDER [--only NAME,...] [--width 256] [--layers 2]
        FOLDER/NAME: config.json and model.safetensors, quantised; FOLDER/NAME-f32: its dequantised twin
    python tools/oracles/quantized_folders.py --fixtures tests/data/quantized
        what the tests keep: NAME/{config.json, model.safetensors (the quantised tensors alone), expected.json},
        for GPTQ and AWQ also logits.npy; common.safetensors: embeddings, norms and head, the same for all

Random weights, a fixed seed. `expected.json` holds for each module the FNV-1a hash (64 bits) of its f32 matrix.
A dequantised matrix is the library's own, made with its scales in f32: with f16 scales the libraries round
each product to f16, which is checked here to be the only difference.

Who writes: compressed-tensors and transformers (in tests/requirements.txt) all but GPTQ and AWQ. Those need
packages that a test machine should not have to build; to make their folders again:
    pip install --no-deps --target SITE logbar tokenicer device-smi defuser torchao accelerate threadpoolctl \
        protobuf dill pypcre datasets pyarrow pandas multiprocess xxhash
    PYTHONPATH=SITE:gptqmodel-7.7.0:autoawq-0.2.9 python tools/oracles/quantized_folders.py ...
where the last two are the unpacked source packages of those names.
"""

import argparse
import functools
import importlib.metadata
import json
import pathlib
import sys
import types

import numpy as np
import torch
import transformers
from safetensors.torch import save_file

SEED = 20261123
VOCABULARY = 256
TOKENS = [1, 17, 254, 3, 3, 90]


# ---- Quantised modules: a weight [out, in] to (the module's tensors by suffix, the dequantised matrix) ----


def min_max_groups(weight, bits, group, symmetric):
    """Scales and zeros [out, groups] of plain rounding; the last group may be smaller."""
    scales, zeros = [], []
    top = 2**bits - 1
    for part in weight.split(group, dim=1):
        low, high = part.amin(1).clamp(max=0), part.amax(1).clamp(min=0)
        if symmetric:
            high = torch.maximum(-low, high)
            low = -high
        scale = ((high - low) / top).clamp(min=1e-5).half().float()
        zero = torch.full_like(scale, (top + 1) // 2) if symmetric else (-low / scale).round().clamp(0, top)
        scales.append(scale)
        zeros.append(zero)
    return torch.stack(scales, 1), torch.stack(zeros, 1)


def linear_of(weight):
    linear = torch.nn.Linear(weight.shape[1], weight.shape[0], bias=False)
    linear.weight.data = weight.clone()
    return linear


def gptq(weight, bits, group, symmetric, version, order):
    """GPTQModel's packing."""
    from gptqmodel.nn_modules.qlinear.torch import TorchLinear
    from gptqmodel.utils.model import convert_gptq_v2_to_v1_format_module

    outputs, inputs = weight.shape
    size = inputs if group == -1 else group
    places = torch.arange(inputs)
    if order:
        places = torch.from_numpy(np.random.default_rng(SEED).permutation(inputs))
    scales, zeros = min_max_groups(weight[:, places], bits, size, symmetric)
    groups = torch.empty(inputs, dtype=torch.int32)
    groups[places] = (torch.arange(inputs) // size).int()
    if not symmetric:
        zeros[::3] = 0  # which less one borrow from their neighbours
    layer = TorchLinear(bits=bits, group_size=group, sym=symmetric, desc_act=order, in_features=inputs,
                        out_features=outputs, register_buffers=False)
    layer.pack_block(linear_of(weight), scales, zeros, groups)
    layer.qzero_format(format=2)
    layer.eval()
    native = layer.dequantize_weight().T.contiguous()
    half_scales = layer.scales
    layer.scales = half_scales.float()
    dequantized = layer.dequantize_weight().T.contiguous()
    layer.scales = half_scales
    assert torch.equal(dequantized.half(), native)
    if version == 1:
        convert_gptq_v2_to_v1_format_module(layer, types.SimpleNamespace(bits=bits, pack_dtype=torch.int32))
    return {name: getattr(layer, name) for name in ("qweight", "qzeros", "scales", "g_idx")}, dequantized


def awq_package():
    """autoawq without the top of the package, which wants a transformers of its time."""
    if "awq" not in sys.modules:
        package = types.ModuleType("awq")
        package.__path__ = [str(pathlib.Path(path) / "awq") for path in sys.path if path]
        sys.modules["awq"] = package


def awq(weight, group):
    """AutoAWQ's packing."""
    awq_package()
    from awq.modules.linear.gemm import WQLinear_GEMM
    from awq.utils.packing_utils import dequantize_gemm

    scales, zeros = min_max_groups(weight, 4, group, symmetric=False)
    layer = WQLinear_GEMM.from_linear(linear_of(weight), 4, group, scales=scales.T.contiguous(),
                                      zeros=zeros.T.contiguous())
    parts = (layer.qweight, layer.qzeros)
    dequantized = dequantize_gemm(*parts, layer.scales.float(), 4, group).T.contiguous()
    assert torch.equal(dequantized.half(), dequantize_gemm(*parts, layer.scales, 4, group).T)
    return {name: getattr(layer, name) for name in ("qweight", "qzeros", "scales")}, dequantized


def transformers_fp8(weight, block, scale_format):
    """transformers' fine-grained FP8."""
    from transformers.integrations.finegrained_fp8 import Fp8Dequantize, Fp8Quantize

    config = transformers.FineGrainedFP8Config(weight_block_size=block, scale_fmt=scale_format)
    quantizer = types.SimpleNamespace(quantization_config=config)
    made = Fp8Quantize(quantizer).convert({"m.weight": weight})
    tensors = {name.removeprefix("m."): value for name, value in made.items()}
    dequantized = Fp8Dequantize(quantizer)._dequantize_one(*tensors.values(), torch.float32)
    return tensors, dequantized


def extremes(weight, args):
    """The least and greatest values of what shares a scale, in the shape of the scales."""
    rows, columns = weight.shape
    down, across = {
        "tensor": (rows, columns), "channel": (1, columns), "group": (1, args.group_size),
        "block": tuple(args.block_structure or (1, 1)),
    }[args.strategy]
    low = torch.stack([torch.stack([b.amin() for b in r.split(across, 1)]) for r in weight.split(down, 0)])
    high = torch.stack([torch.stack([b.amax() for b in r.split(across, 1)]) for r in weight.split(down, 0)])
    return (low.reshape(1), high.reshape(1)) if args.strategy == "tensor" else (low, high)


def compressed_tensors(weight, scheme):
    """compressed-tensors' own compressors."""
    from compressed_tensors.compressors import BaseCompressor
    from compressed_tensors.quantization.utils import calculate_qparams

    compressor = BaseCompressor.get_value_from_registry(scheme.format)
    scales, zeros = calculate_qparams(*extremes(weight, scheme.weights), scheme.weights)
    scales = scales.to(weight.dtype)
    state = {"weight": weight, "weight_scale": scales}
    if not scheme.weights.symmetric:
        state["weight_zero_point"] = zeros.round().to(torch.int8)
    tensors = compressor.compress(state, scheme)
    native = compressor.decompress(tensors, scheme)["weight"]
    if tensors["weight_scale"].dtype == torch.uint8:
        return tensors, native.float()
    in_f32 = tensors | {"weight_scale": tensors["weight_scale"].float()}
    dequantized = compressor.decompress(in_f32, scheme)["weight"]
    assert torch.equal(dequantized.to(native.dtype), native)
    return tensors, dequantized


# ---- Schemes ----


class Scheme:
    """How the modules of a folder are stored, and what its config.json says."""

    def __init__(self, config, quantize, dtype=torch.float32):
        self.config = config  # quantization_config
        self.quantize = quantize  # (module's name, weight) -> (tensors, dequantised)
        self.dtype = dtype  # of the weights that are quantised


def gptq_scheme(bits, group, symmetric=True, version=1, order=False):
    config = {"quant_method": "gptq", "bits": bits, "group_size": group, "sym": symmetric, "desc_act": order,
              "checkpoint_format": "gptq" if version == 1 else "gptq_v2"}
    return Scheme(config, lambda _, weight: gptq(weight, bits, group, symmetric, version, order))


def awq_scheme(group):
    config = {"quant_method": "awq", "bits": 4, "group_size": group, "zero_point": True, "version": "gemm",
              "modules_to_not_convert": ["lm_head"]}
    return Scheme(config, lambda _, weight: awq(weight, group))


def fp8_scheme(block, scale_format="float"):
    config = {"quant_method": "fp8", "activation_scheme": "dynamic", "weight_block_size": list(block),
              "scale_fmt": scale_format}
    return Scheme(config, lambda _, weight: transformers_fp8(weight, block, scale_format))


def compressed_scheme(format_, targets=None, dtype=torch.float32, **weights):
    """One group of all linear modules but the head, or, with `targets`, a group per entry."""
    from compressed_tensors.quantization import (
        QuantizationArgs, QuantizationConfig, QuantizationScheme, QuantizationStatus)

    groups = {
        f"group_{i}": QuantizationScheme(targets=[target], weights=QuantizationArgs(**(weights | extra)),
                                         format=format_)
        for i, (target, extra) in enumerate((targets or {"Linear": {}}).items())
    }
    config = QuantizationConfig(config_groups=groups, format=format_, ignore=["re:.*lm_head"],
                                quantization_status=QuantizationStatus.COMPRESSED)

    def quantize(name, weight):
        from compressed_tensors.utils.match import match_targets

        every = [target for scheme in groups.values() for target in scheme.targets]
        best = match_targets(name, torch.nn.Linear(1, 1), every)[0]
        return compressed_tensors(weight, next(s for s in groups.values() if best in s.targets))

    return Scheme(json.loads(config.model_dump_json()), quantize, dtype)


def schemes(width):
    """All schemes of folders whose inner width is `width`; the feed-forward width is not a multiple of 2 * group."""
    group = max(width // 4, 16)
    half = {"dtype": torch.float16}
    down = "re:.*layers\\.[0-9]+\\.mlp\\.down_proj$"
    int4 = {"num_bits": 4, "type": "int", "strategy": "group", "group_size": group}
    return {
        "gptq-2bit": lambda: gptq_scheme(2, group),
        "gptq-3bit": lambda: gptq_scheme(3, group),
        "gptq-3bit-asym": lambda: gptq_scheme(3, group, symmetric=False),
        "gptq-4bit": lambda: gptq_scheme(4, group),
        "gptq-4bit-asym": lambda: gptq_scheme(4, group, symmetric=False),
        "gptq-4bit-order": lambda: gptq_scheme(4, group, order=True),
        "gptq-4bit-ragged": lambda: gptq_scheme(4, width * 2),
        "gptq-4bit-v2": lambda: gptq_scheme(4, group, symmetric=False, version=2),
        "gptq-8bit": lambda: gptq_scheme(8, -1, symmetric=False),
        "awq": lambda: awq_scheme(group),
        "fp8-blocks": lambda: fp8_scheme((16, 32)),
        "fp8-blocks-ue8m0": lambda: fp8_scheme((16, 32), "ue8m0"),
        "fp8-ragged": lambda: compressed_scheme(
            "float-quantized", num_bits=8, type="float", strategy="block", block_structure=[24, 20]),
        "fp8-tensor": lambda: compressed_scheme("float-quantized", num_bits=8, type="float", strategy="tensor"),
        "fp8-channel": lambda: compressed_scheme(
            "float-quantized", dtype=torch.bfloat16, num_bits=8, type="float", strategy="channel"),
        "mxfp8": lambda: compressed_scheme("mxfp8-quantized", num_bits=8, type="float", strategy="group",
                                           group_size=32, scale_dtype=torch.uint8),
        "int8-channel": lambda: compressed_scheme(
            "int-quantized", num_bits=8, type="int", strategy="channel", **half),
        "int8-asym": lambda: compressed_scheme(
            "naive-quantized", num_bits=8, type="int", strategy="group", group_size=group, symmetric=False),
        "int4-group": lambda: compressed_scheme("pack-quantized", **int4, **half),
        "int4-asym": lambda: compressed_scheme("pack-quantized", **int4, symmetric=False),
        "int4-channel": lambda: compressed_scheme(
            "pack-quantized", dtype=torch.bfloat16, num_bits=4, type="int", strategy="channel", symmetric=False),
        "int8-packed-mixed": lambda: compressed_scheme(
            "pack-quantized", {"Linear": {}, down: {"num_bits": 8}}, **int4),
    }


NEEDS_OTHER_PACKAGES = ("gptq", "awq")


# ---- Folders ----


def network(width, layers):
    heads = 2 if width < 128 else 4
    config = transformers.LlamaConfig(
        vocab_size=VOCABULARY, hidden_size=width, intermediate_size=3 * width, num_hidden_layers=layers,
        num_attention_heads=heads, num_key_value_heads=heads if width < 128 else heads // 2,
        max_position_embeddings=256, tie_word_embeddings=False, architectures=["LlamaForCausalLM"],
        bos_token_id=None, eos_token_id=None)
    model = transformers.LlamaForCausalLM(config).float().eval()
    random = np.random.default_rng(SEED)  # torch's numbers depend on the CPU
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            spread = 0.3 if "norm" in name else 0.05 + 1.0 / parameter.shape[-1] ** 0.5
            values = random.standard_normal(parameter.shape) * spread + ("norm" in name)
            parameter.copy_(torch.from_numpy(values.astype(np.float16)))
    return model


def quantized_modules(model):
    return {name: module for name, module in model.named_modules()
            if isinstance(module, torch.nn.Linear) and name != "lm_head"}


def make(scheme, width, layers):
    """(model with dequantised weights, quantised tensors, the other tensors, dequantised matrices by module)."""
    model = network(width, layers)
    tensors, matrices = {}, {}
    for name, module in quantized_modules(model).items():
        parts, matrix = scheme.quantize(name, module.weight.data.to(scheme.dtype))
        tensors |= {f"{name}.{suffix}": part.contiguous() for suffix, part in parts.items()}
        module.weight.data = matrix.float()
        matrices[name] = matrix.float().numpy()
    quantised = {f"{name}.weight" for name in matrices}
    others = {name: value.half() for name, value in model.state_dict().items() if name not in quantised}
    return model, tensors, others, matrices


def config_text(model, quantization=None):
    config = json.loads(model.config.to_json_string(use_diff=False))
    kept = ("architectures model_type vocab_size hidden_size intermediate_size num_hidden_layers num_attention_heads "
            "num_key_value_heads head_dim max_position_embeddings rms_norm_eps rope_parameters tie_word_embeddings "
            "hidden_act attention_bias mlp_bias").split()
    out = {key: config[key] for key in kept if key in config}
    if quantization is not None:
        out["quantization_config"] = quantization
    return json.dumps(out, indent=1) + "\n"


def write_folder(folder, text, tensors):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(text)
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})


def write_pair(root, name, width=256, layers=2):
    """The folder root/NAME and its twin root/NAME-f32; the twin's model."""
    scheme = schemes(width)[name]()
    model, tensors, others, _ = make(scheme, width, layers)
    write_folder(root / name, config_text(model, scheme.config), tensors | others)
    write_folder(root / f"{name}-f32", config_text(model), {k: v.clone() for k, v in model.state_dict().items()})
    return model


@torch.inference_mode()
def logits(model, tokens=TOKENS):
    return model(torch.tensor([tokens])).logits[0].numpy()


def fnv(matrix):
    value = 0xCBF29CE484222325
    for byte in matrix.astype("<f4").tobytes():
        value = (value ^ byte) * 0x100000001B3 % 2**64
    return f"{value:016x}"


@functools.cache
def versions():
    out = {}
    for package in ("compressed-tensors", "transformers", "torch"):
        out[package] = importlib.metadata.version(package).partition("+")[0]
    return out | {"gptqmodel": "7.7.0", "autoawq": "0.2.9"}


def write_fixture(root, name):
    """Width 32, one layer. A zero of a code less one and all widths of codes occur in them."""
    scheme = schemes(32)[name]()
    model, tensors, others, matrices = make(scheme, 32, 1)
    write_folder(root / name, config_text(model, scheme.config), tensors)
    save_file(others, root / "common.safetensors", {"format": "pt"})
    expected = {"versions": versions(), "modules": {module: fnv(matrix) for module, matrix in matrices.items()}}
    (root / name / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")
    if name.startswith(NEEDS_OTHER_PACKAGES):
        np.save(root / name / "logits.npy", logits(model))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path)
    parser.add_argument("--fixtures", type=pathlib.Path)
    parser.add_argument("--only", type=lambda text: text.split(","), default=list(schemes(32)))
    parser.add_argument("--width", type=int, default=256)
    parser.add_argument("--layers", type=int, default=2)
    options = parser.parse_args()
    for name in options.only:
        if options.out:
            write_pair(options.out, name, options.width, options.layers)
        if options.fixtures:
            write_fixture(options.fixtures, name)


if __name__ == "__main__":
    main()
