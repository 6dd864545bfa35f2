"""LLVM text -> native code on this machine, by llvmlite. No compiler of the user's is needed."""

from __future__ import annotations

import contextlib
import ctypes
import platform
from dataclasses import dataclass
from functools import cache
from typing import Any

__all__ = ["Machine", "Native", "machine"]

OPTIMIZATION = 2


@dataclass(frozen=True)
class Machine:
    """What code is made for: `width` lanes in a vector, whether a fused multiply-add is an instruction."""

    cpu: str
    features: str
    triple: str
    llvm: str
    width: int
    fused: bool

    @property
    def text(self) -> str:
        return f"{self.cpu} {self.features} {self.triple} {self.llvm} {self.width} {self.fused}"


@cache
def machine() -> Machine:
    """This machine. Raises ImportError or RuntimeError where llvmlite cannot work."""
    import llvmlite
    import llvmlite.binding as llvm

    with contextlib.suppress(RuntimeError):  # newer versions do it on their own
        llvm.initialize()
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    features = llvm.get_host_cpu_features()
    arm = platform.machine().lower() in ("arm64", "aarch64")
    return Machine(
        cpu=llvm.get_host_cpu_name(),
        features=features.flatten(),
        triple=llvm.get_process_triple(),
        llvm=".".join(map(str, (*llvm.llvm_version_info, llvmlite.__version__))),
        width=16 if features.get("avx512f") and features.get("avx512dq") else 4,
        fused=arm or bool(features.get("fma")),
    )


class Native:
    """Native code of one program, loaded. `address(name)` is where a function starts."""

    def __init__(self, code: bytes) -> None:
        import llvmlite.binding as llvm

        empty = llvm.parse_assembly("")
        self._engine = llvm.create_mcjit_compiler(empty, _target())
        self._engine.add_object_file(llvm.ObjectFileRef.from_data(code))
        self._engine.finalize_object()

    def address(self, name: str) -> int:
        return int(self._engine.get_function_address(name))

    def function(self, name: str, kinds: str) -> Any:
        """A C function: kinds "i", "f" for numbers, "p" for arrays. It runs without Python's lock."""
        types: dict[str, Any] = {"i": ctypes.c_int64, "f": ctypes.c_double, "p": ctypes.c_void_p}
        return ctypes.CFUNCTYPE(None, *(types[kind] for kind in kinds))(self.address(name))


def assemble(text: str) -> bytes:
    """LLVM text -> an object file."""
    import llvmlite.binding as llvm

    module = llvm.parse_assembly(text)
    target = _target()
    builder = llvm.create_pass_builder(target, llvm.create_pipeline_tuning_options(OPTIMIZATION))
    builder.getModulePassManager().run(module, builder)
    return bytes(target.emit_object(module))


def _target() -> Any:
    import llvmlite.binding as llvm

    here = machine()
    target = llvm.Target.from_triple(here.triple)
    return target.create_target_machine(
        cpu=here.cpu, features=here.features, opt=OPTIMIZATION, reloc="pic", codemodel="jitdefault", jit=True
    )
