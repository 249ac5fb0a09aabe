#!/usr/bin/env python3
"""What XLA's compiler for an H100 makes of headroom's programs, on a machine without a GPU: gpu_compile.py FILE.mlir…

Needs `pip install "jax[cuda13]"` (tried with 0.10.2); FILEs are written by

    HEADROOM_XLA_PROGRAMS=DIR go test -tags xla -run XLAProgramsOfRealSize ./runner/train/device

Prints a Markdown table: the compiler's own account of device memory, how many kernels a call launches, how many bytes
they read and write, and what sorts, scatters and loops are left. A slice counts as all that it is cut from, so bytes
are for comparing two programs, not for predicting time.
With KEEP=DIR the compiled programs are kept there as text.
"""

import os
import re
import sys
import time
from collections import Counter

os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault(  # headroom's own
    "XLA_FLAGS",
    "--xla_gpu_dot_merger_threshold_mb=0 --xla_gpu_deterministic_ops=true --xla_gpu_enable_triton_gemm=false",
)

import jax  # noqa: E402
import numpy as np  # noqa: E402
from jax._src import compiler  # noqa: E402
from jax._src.interpreters import mlir  # noqa: E402
from jax._src.lib import xla_client  # noqa: E402
from jax._src.lib.mlir import ir  # noqa: E402
from jax.experimental import topologies  # noqa: E402

H100 = """
gpu_device_info {
  threads_per_block_limit: 1024 threads_per_warp: 32 shared_memory_per_block: 49152 shared_memory_per_core: 233472
  threads_per_core_limit: 2048 core_count: 132 fpus_per_core: 128
  block_dim_limit_x: 2147483647 block_dim_limit_y: 65535 block_dim_limit_z: 65535
  memory_bandwidth: 3352320000000 l2_cache_size: 52428800 clock_rate_ghz: 1.98 device_memory_size: 84942979072
  shared_memory_per_block_optin: 232448 registers_per_core_limit: 65536 registers_per_block_limit: 65536
  cuda_compute_capability { major: 9 feature_extension: ACCELERATED_FEATURES }
}
platform_name: "CUDA"
dnn_version_info { major: 9 minor: 10 }
device_description_str: "NVIDIA H100 80GB HBM3"
"""

WIDTH = {"f64": 8, "s64": 8, "u64": 8, "f32": 4, "s32": 4, "u32": 4, "bf16": 2, "f16": 2, "pred": 1, "s8": 1, "u8": 1}
ARRAY = re.compile(r"\b(" + "|".join(WIDTH) + r")\[([\d,]*)\]")
FREE = {"parameter", "get-tuple-element", "bitcast", "tuple", "constant", "after-all", "copy-done"}


def size(text):
    """Bytes of all the arrays that a shape names."""
    return sum(WIDTH[kind] * int(np.prod([int(d) for d in dims.split(",") if d])) for kind, dims in ARRAY.findall(text))


def kernels(text):
    """(kind, bytes) of each kernel of the entry computation."""
    body = text[text.index("\nENTRY ") :]
    shapes, out = {}, []
    for line in body.splitlines()[1:]:
        found = re.match(r"\s+(?:ROOT )?%?([\w.\-]+) = (\(.*?\)|\S+) ([\w\-]+)\((.*)$", line)
        if not found:
            continue
        name, shape, op, rest = found.groups()
        shapes[name] = shape
        if op not in FREE:
            operands = re.findall(r"%([\w.\-]+)", rest.split("), ")[0])
            out.append((op, size(shape) + sum(size(shapes.get(o, "")) for o in operands)))
    return out


def main(files):
    device = topologies.get_topology_desc("h100", "cuda", target_config=H100, topology="1x1x1").devices[0]
    print(f"jax {jax.__version__}, compiled for {device.device_kind} without one, XLA_FLAGS {os.environ['XLA_FLAGS']}\n")
    print("| program | temporary | inputs | outputs | kernels | read and written | sorts, scatters, loops | compiled in |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for path in files:
        with mlir.make_ir_context(), open(path) as file:
            module = ir.Module.parse(file.read())
            options = compiler.get_compile_options(1, 1, device_assignment=np.array([[0]]))
            start = time.time()
            program = device.client.compile(module, xla_client.DeviceList((device,)), options)
            seconds = time.time() - start
        memory, text = program.get_compiled_memory_stats(), program.hlo_modules()[0].to_string()
        name = os.path.basename(path).removesuffix(".mlir")
        if os.environ.get("KEEP"):
            with open(os.path.join(os.environ["KEEP"], name + ".hlo"), "w") as file:
                file.write(text)
        found = kernels(text)
        rare = Counter(op for op, _ in found if op in ("sort", "scatter", "while"))
        rare["scatter"] += len(re.findall(r" scatter\(", text)) - rare["scatter"]
        print(
            f"| {name} | {memory.temp_size_in_bytes / 2**30:.1f} GiB | {memory.argument_size_in_bytes / 2**30:.1f} GiB "
            f"| {memory.output_size_in_bytes / 2**30:.1f} GiB | {len(found)} | {sum(b for _, b in found) / 1e9:.0f} GB "
            f"| {rare['sort']}, {rare['scatter']}, {rare['while']} | {seconds:.0f} s |",
            flush=True,
        )


if __name__ == "__main__":
    main(sys.argv[1:])
