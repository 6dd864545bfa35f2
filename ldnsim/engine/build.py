"""A program as one module of LLVM text: the functions it uses, its kernels, the driver."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ldnsim.engine.compiler.translate import fields, translate
from ldnsim.engine.driver import drive
from ldnsim.engine.functions import FUNCTIONS
from ldnsim.engine.job import Job

if TYPE_CHECKING:
    from ldnsim.engine.compiler.machine import Machine
    from ldnsim.engine.program import Program

__all__ = ["DRIVE_KINDS", "module_text"]

# the arguments of the compiled driver, as `Native.function` wants them: the job's fields, then the room to work in
DRIVE_KINDS = "".join({"int": "i", "float": "f"}.get(kind, "p") for _, kind in fields(Job)) + "pp"


def module_text(program: Program, here: Machine) -> str:
    """The whole module; nothing in it comes from file text but numbers and the shape of the graph."""
    used = sorted({name for kernel in program.kernels() for name in kernel.functions})
    pieces = [translate(f"{name}_lanes", FUNCTIONS[name], here.width, here.fused, {}, inline=True) for name in used]
    pieces += [kernel.text(here.width, here.fused) for kernel in program.kernels()]
    pieces.append(translate("drive", drive, here.width, here.fused, {"m": program}, exported=True))
    declared = sorted({line for _, declarations in pieces for line in declarations.splitlines()})
    wide = f'"no-stack-arg-probe" "prefer-vector-width"="512" "min-legal-vector-width"="{min(64 * here.width, 512)}"'
    wide += f' "target-cpu"="{here.cpu}" "target-features"="{here.features}"'
    attributes = [
        f"attributes #0 = {{ nounwind {wide} }}",
        f"attributes #1 = {{ nounwind noinline {wide} }}",
        f"attributes #2 = {{ nounwind alwaysinline memory(none) {wide} }}",
    ]
    return "\n".join([f'target triple = "{here.triple}"', *declared, *(text for text, _ in pieces), *attributes])
