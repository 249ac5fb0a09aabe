#!/usr/bin/env python3
"""Makes testdata/<case>/: a tiny random model as transformers saves it, and what transformers computes with it.

    python3 make_reference.py [--out testdata] [CASE …]

Everything is computed in float64 from the stored (float32, F16 or BF16) weights and rounded once to float32, so that
the reference's own rounding stays below 6e-8. See README.md for the files' contents.
"""

import argparse
import json
import shutil
import tempfile
from pathlib import Path

import numpy as np
import safetensors.numpy
import safetensors.torch
import torch
import transformers
from transformers import AutoModelForMaskedLM, CONFIG_MAPPING
from transformers.models.modernbert import modeling_modernbert

from cases import CASES, Case

STORED = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}


class Float64Rotary(torch.nn.Module):
    """ModernBERT's rotary table without its float32 steps."""

    def __init__(self, config):
        super().__init__()
        self.config = config

    def forward(self, x, position_ids, layer_type):
        theta = self.config.rope_parameters[layer_type]["rope_theta"]
        width = self.config.hidden_size // self.config.num_attention_heads
        inverse = 1.0 / theta ** (torch.arange(0, width, 2, dtype=torch.float64) / width)
        angles = position_ids[..., None].double() * inverse
        angles = torch.cat((angles, angles), dim=-1)
        return angles.cos(), angles.sin()


def rotate_in_own_type(q, k, cos, sin, unsqueeze_dim=1):
    """transformers' rotation casts to float32; this one stays in the type of its inputs."""
    cos, sin = cos.unsqueeze(unsqueeze_dim), sin.unsqueeze(unsqueeze_dim)
    half = modeling_modernbert.rotate_half
    return q * cos + half(q) * sin, k * cos + half(k) * sin


def fill(model, case: Case, rng: np.random.Generator) -> None:
    """Gives every parameter values that differ from its default and that the stored type can hold exactly."""
    with torch.no_grad():
        for name, p in model.named_parameters():
            noise = rng.standard_normal(tuple(p.shape))
            if "norm" in name.lower():
                values = 1 + 0.3 * noise if name.endswith("weight") else 0.2 * noise
            elif "embeddings" in name:
                values = case.embedding_std * noise
            elif p.ndim == 1:
                values = 0.25 * noise
            else:
                values = 1.3 * noise / np.sqrt(p.shape[1])
            if p.shape == (case.config["vocab_size"],):
                values = 0.6 * noise - 0.8  # a decoder bias that silences some terms
            elif case.tie and p is model.get_output_embeddings().weight:
                # A tied row serves as an input of width 1 and as an output row: wide enough to matter as both.
                values = 0.3 * noise
            p.copy_(torch.from_numpy(values).to(STORED[case.dtype]))


def new_model(case: Case):
    config = CONFIG_MAPPING[case.family](**case.config, tie_word_embeddings=case.tie)
    if not case.tie and case.family == "bert" and "pad_token_id" not in case.config:
        config.pad_token_id = 0
    return AutoModelForMaskedLM.from_config(config, attn_implementation="sdpa")


def batch(case: Case, pad: int, rng: np.random.Generator):
    """Token ids and mask; no text contains the pad id, unless the case is about that."""
    longest = max(case.lengths)
    ids = np.full((len(case.lengths), longest), pad, dtype=np.int32)
    mask = np.zeros_like(ids)
    allowed = np.setdiff1d(np.arange(case.config["vocab_size"]), [pad])
    for row, n in enumerate(case.lengths):
        ids[row, :n] = rng.choice(allowed, n)
        mask[row, :n] = 1
        if case.pads_in_texts:
            ids[row, n // 3] = pad  # one: two of them are the same state, a tie in the maximum over tokens
    return ids, mask


def run(model, ids, mask, c, d):
    """One forward and backward pass in the model's own type."""
    dtype = next(model.parameters()).dtype
    ids, mask = torch.from_numpy(ids).long(), torch.from_numpy(mask).long()
    model.zero_grad(set_to_none=True)
    base = model.base_model(input_ids=ids, attention_mask=mask).last_hidden_state
    logits = model(input_ids=ids, attention_mask=mask).logits
    masked = logits * mask[..., None].to(dtype)
    activated = torch.log1p(torch.relu(masked))
    splade = activated.amax(dim=1)
    loss = (torch.from_numpy(c).to(dtype) * masked).sum() + (torch.from_numpy(d).to(dtype) * splade).sum()
    loss.backward()
    out = {
        "hidden": base * mask[..., None].to(dtype),
        "logits": masked,
        "splade": splade,
        "splade_sum": activated.sum(dim=1),
        "splade_log1p": torch.log1p(activated).amax(dim=1),
        "loss": loss.reshape(1),
        "loss_scale": ((torch.from_numpy(c).to(dtype) * masked).abs().sum()
                       + (torch.from_numpy(d).to(dtype) * splade).abs().sum()).reshape(1),
    }
    for name, p in model.named_parameters():
        if p.grad is not None:
            out["grad." + name] = p.grad
    return {k: v.detach().double().numpy() for k, v in out.items()}


def canonical_gradients(case: Case, values: dict) -> None:
    """One name for the decoder's bias: the one that is always in a file."""
    for used, name in (("cls.predictions.decoder.bias", "cls.predictions.bias"), ("lm_head.decoder.bias", "lm_head.bias")):
        if "grad." + used in values:
            values["grad." + name] = values.pop("grad." + used)


def save_model(model, case: Case, folder: Path) -> None:
    model = model.to(STORED[case.dtype])
    shard = {"max_shard_size": case.shard_bytes} if case.shard_bytes else {}
    with tempfile.TemporaryDirectory() as temp:
        model.save_pretrained(temp, **shard)
        for f in sorted(Path(temp).iterdir()):
            if f.name == "config.json" or "safetensors" in f.name:
                shutil.copyfile(f, folder / f.name)
    path = folder / "config.json"
    config = json.loads(path.read_text())
    if case.old_config:
        ropes = config.pop("rope_parameters")
        kinds = config.pop("layer_types")
        every = next((i for i in range(1, len(kinds)) if kinds[i] == "full_attention"), len(kinds))
        assert kinds == ["sliding_attention" if i % every else "full_attention" for i in range(len(kinds))]
        config["global_attn_every_n_layers"] = every
        config["global_rope_theta"] = ropes["full_attention"]["rope_theta"]
        config["local_rope_theta"] = ropes["sliding_attention"]["rope_theta"]
    path.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")
    if case.legacy:
        path = folder / "model.safetensors"
        tensors = safetensors.torch.load_file(path)
        renamed = {
            k.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"): v
            for k, v in tensors.items()
        }
        safetensors.torch.save_file(renamed, path, metadata={"format": "pt"})


def check_reload(folder: Path, want, ids, mask) -> None:
    """The stored folder must be the model that was computed with."""
    model, info = AutoModelForMaskedLM.from_pretrained(folder, output_loading_info=True, dtype=torch.float32)
    for kind in ("missing_keys", "unexpected_keys", "mismatched_keys"):
        assert not info[kind], (folder, kind, info[kind])
    model.eval()
    with torch.no_grad():
        logits = model(input_ids=torch.from_numpy(ids).long(), attention_mask=torch.from_numpy(mask).long()).logits
    got = (logits * torch.from_numpy(mask)[..., None]).double().numpy()
    assert relative(got, want) < 1e-5, (folder, relative(got, want))


def relative(got, want, scale=None) -> float:
    scale = np.abs(want if scale is None else scale).max()
    return float(np.abs(got - want).max() / scale) if scale > 0 else float(np.abs(got).max())


def make(case: Case, folder: Path) -> dict:
    rng = np.random.default_rng(case.seed)
    torch.manual_seed(case.seed)  # constructors draw weights that fill then replaces
    model = new_model(case)
    model.eval()
    fill(model, case, rng)
    if case.pads_in_texts:  # PyTorch's exception that a padding token's rows have no gradient is not headroom's
        for module in model.modules():
            if isinstance(module, torch.nn.Embedding):
                module.padding_idx = None
    ids, mask = batch(case, model.config.pad_token_id, rng)
    c = (rng.standard_normal((*ids.shape, case.config["vocab_size"])) / 8).astype(np.float32)
    d = rng.standard_normal((ids.shape[0], case.config["vocab_size"])).astype(np.float32)

    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    single = run(model, ids, mask, c, d)

    double = model.double()
    plain = modeling_modernbert.apply_rotary_pos_emb
    if case.family == "modernbert":
        double.model.rotary_emb = Float64Rotary(double.config)
        modeling_modernbert.apply_rotary_pos_emb = rotate_in_own_type
    try:
        values = run(double, ids, mask, c, d)
    finally:
        modeling_modernbert.apply_rotary_pos_emb = plain
    if case.family == "modernbert":
        del double.model.rotary_emb  # it has no place in the file
    for v in (single, values):
        canonical_gradients(case, v)
    save_model(double, case, folder)
    check_reload(folder, values["logits"], ids, mask)

    gradients = [k for k in values if k.startswith("grad.")]
    largest = max(np.abs(values[k]).max() for k in gradients)
    # Softmax does not see a shift of all its scores, so a plain key bias has no gradient: what float64 leaves is noise.
    zero = sorted(k for k in gradients if np.abs(values[k]).max() < 1e-11 * largest)
    for k in zero:
        values[k] = np.zeros_like(values[k])
    stored = {k: v.astype(np.float32) for k, v in values.items()}
    stored |= {"input_ids": ids, "attention_mask": mask, "c": c, "d": d}
    safetensors.numpy.save_file({k: np.ascontiguousarray(v) for k, v in stored.items()}, folder / "reference.safetensors")
    note = {
        "case": case.name,
        "why": case.why,
        "seed": case.seed,
        "tied": case.tie,
        "lengths": case.lengths,
        "loss": "sum(c * logits * mask) + sum(d * splade)",
        "active_share": float((values["splade"] > 0).mean()),
        "zero_gradients": zero,
        "torch_float32_error": {
            k: float(f"{relative(single[k], values[k], values['loss_scale'] if k == 'loss' else None):.1e}")
            for k in sorted(values) if k not in zero
        },
        "versions": {"torch": torch.__version__.split("+")[0], "transformers": transformers.__version__},
    }
    (folder / "reference.json").write_text(json.dumps(note, indent=1) + "\n")
    return note


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cases", nargs="*")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "testdata")
    args = parser.parse_args()
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    for case in CASES:
        if args.cases and case.name not in args.cases:
            continue
        folder = args.out / case.name
        note = make(case, folder)
        worst = max(note["torch_float32_error"].items(), key=lambda kv: kv[1])
        size = sum(f.stat().st_size for f in folder.iterdir())
        print(f"{case.name}: {size // 1024} KiB, active {note['active_share']:.2f}, float32 of torch is off by {worst[1]:.1e} ({worst[0]})")


if __name__ == "__main__":
    main()
