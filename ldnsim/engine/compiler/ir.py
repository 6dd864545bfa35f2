"""LLVM's intermediate language as text: values of the run, memory, and the words of `lanes`."""

from __future__ import annotations

import math
import struct
from typing import Any, NamedTuple

__all__ = ["Value", "Writer"]


class Value(NamedTuple):
    """A value of the run. Kinds: i, f, b are one number, I, F, B one per lane; with * in front, arrays of them."""

    kind: str
    name: str


def constant(number: float) -> str:
    """A double as LLVM writes it, exactly."""
    return "0x" + struct.pack(">d", number).hex().upper()


class Writer:
    """Writes one function. `lines` is its text so far, `entry` the variables at its head."""

    def __init__(self, width: int, fused: bool) -> None:
        self.width, self.fused = width, fused
        self.lines: list[str] = []
        self.entry: list[str] = []
        self.declared: set[str] = set()
        self._count = 0

    # --- text

    def type(self, kind: str) -> str:
        if kind.startswith("*"):
            return "ptr"
        scalar = {"i": "i64", "f": "double", "b": "i1"}[kind.lower()]
        return f"<{self.width} x {scalar}>" if kind.isupper() else scalar

    def fresh(self, stem: str = "v") -> str:
        self._count += 1
        return f"%{stem}.{self._count}"

    def emit(self, kind: str, text: str) -> Value:
        name = self.fresh()
        self.lines.append(f"  {name} = {text}")
        return Value(kind, name)

    def intrinsic(self, name: str, kind: str, result: str, *arguments: Value) -> Value:
        """A call of an LLVM intrinsic over vectors or numbers of one kind."""
        scalar = {"i": "i64", "f": "f64", "b": "i1"}[kind.lower()]
        full = f"llvm.{name}." + (f"v{self.width}{scalar}" if kind.isupper() else scalar)
        types = ", ".join(self.type(a.kind) for a in arguments)
        self.declared.add(f"declare {self.type(result)} @{full}({types})")
        given = ", ".join(f"{self.type(a.kind)} {a.name}" for a in arguments)
        return self.emit(result, f"call {self.type(result)} @{full}({given})")

    def lift(self, value: Any, kind: str) -> Value:
        """A known number, or a number of the run, as a value of the kind asked for."""
        if not isinstance(value, Value):
            scalar = {
                "i": lambda: str(int(value)),
                "f": lambda: constant(float(value)),
                "b": lambda: str(bool(value)).lower(),
            }[kind.lower()]()
            if kind.islower():
                return Value(kind, scalar)
            if value == 0 and math.copysign(1, value) > 0:
                return Value(kind, "zeroinitializer")
            return Value(kind, "<" + ", ".join(f"{self.type(kind.lower())} {scalar}" for _ in range(self.width)) + ">")
        if value.kind == "i" and kind in "fF":
            value = self.emit("f", f"sitofp i64 {value.name} to double")
        if value.kind == kind:
            return Value(*value)
        if value.kind == "I" and kind == "F":
            return self.emit("F", f"sitofp {self.type('I')} {value.name} to {self.type('F')}")
        if value.kind == kind.lower() and kind.isupper():
            vector, scalar = self.type(kind), self.type(value.kind)
            first = self.emit(kind, f"insertelement {vector} poison, {scalar} {value.name}, i64 0")
            return self.emit(
                kind, f"shufflevector {vector} {first.name}, {vector} poison, <{self.width} x i32> zeroinitializer"
            )
        raise TypeError(f"{value.kind} is no {kind}")

    def together(self, *values: Any) -> list[Value]:
        """Values lifted to the widest kind among them."""
        kinds = {v.kind for v in values if isinstance(v, Value)}
        vector = any(k.isupper() for k in kinds)
        letters = {k.lower() for k in kinds}
        letter = (
            "f"
            if "f" in letters or any(isinstance(v, float) for v in values)
            else "i"
            if "i" in letters or any(type(v) is int for v in values)
            else "b"
        )
        return [self.lift(v, letter.upper() if vector else letter) for v in values]

    # --- memory

    def pointer(self, array: Value, places: list[Any]) -> tuple[str, str]:
        """(kind, pointer) of array[place], rows[row] or rows[row, lane]."""
        element = array.kind[1]
        kind = element.lower() if len(places) == 2 else element
        if len(places) == 2:
            row, lane = self.lift(places[0], "i"), self.lift(places[1], "i")
            start = row.name if row.name == "0" else self.emit("i", f"mul i64 {row.name}, {self.width}").name
            place = self.emit("i", f"add i64 {start}, {lane.name}").name
        else:
            place = self.lift(places[0], "i").name
        return kind, self.emit("i", f"getelementptr inbounds {self.type(kind)}, ptr {array.name}, i64 {place}").name

    def load(self, array: Value, places: list[Any]) -> Value:
        kind, pointer = self.pointer(array, places)
        return self.emit(kind, f"load {self.type(kind)}, ptr {pointer}{self.alignment(kind)}")

    def store(self, array: Value, places: list[Any], value: Any) -> None:
        kind, pointer = self.pointer(array, places)
        self.lines.append(
            f"  store {self.type(kind)} {self.lift(value, kind).name}, ptr {pointer}{self.alignment(kind)}"
        )

    def alignment(self, kind: str) -> str:
        return f", align {8 * self.width}" if kind.isupper() else ", align 8"

    # --- the words of `lanes`

    def word_fma(self, a: Any, b: Any, c: Any) -> Value:
        x, y, z = self.together(a, b, c)
        if self.fused:
            return self.intrinsic("fma", x.kind, x.kind, x, y, z)
        kind = self.type(x.kind)
        product = self.emit(x.kind, f"fmul {kind} {x.name}, {y.name}")
        return self.emit(x.kind, f"fadd {kind} {product.name}, {z.name}")

    def word_where(self, mask: Value, a: Any, b: Any) -> Value:
        x, y = self.together(a, b)
        if mask.kind == "B" and x.kind.islower():
            x, y = self.lift(x, x.kind.upper()), self.lift(y, y.kind.upper())
        return self.emit(
            x.kind,
            f"select {self.type(mask.kind)} {mask.name}, {self.type(x.kind)} {x.name}, {self.type(x.kind)} {y.name}",
        )

    def word_any_lane(self, mask: Value) -> Value:
        return self.intrinsic("vector.reduce.or", "B", "b", mask)

    def word_square_root(self, a: Value) -> Value:
        return self.intrinsic("sqrt", a.kind, a.kind, a)

    def word_absolute(self, a: Value) -> Value:
        return self.intrinsic("fabs", a.kind, a.kind, a)

    def word_rint(self, a: Value) -> Value:
        return self.intrinsic("roundeven", a.kind, a.kind, a)

    def word_bits(self, a: Value) -> Value:
        return self.emit("I", f"bitcast {self.type('F')} {a.name} to {self.type('I')}")

    def word_from_bits(self, a: Value) -> Value:
        return self.emit("F", f"bitcast {self.type('I')} {a.name} to {self.type('F')}")

    def word_polynomial(self, coefficients: tuple[float, ...], x: Value) -> Value:
        terms: list[Any] = list(coefficients)
        while len(terms) > 1:
            terms = [
                self.word_fma(terms[n + 1], x, terms[n]) if n + 1 < len(terms) else terms[n]
                for n in range(0, len(terms), 2)
            ]
            x = self.emit("F", f"fmul {self.type('F')} {x.name}, {x.name}")
        return self.lift(terms[0], "F")

    def _addresses(self, array: Value, places: Value) -> str:
        return self.emit("I", f"getelementptr double, ptr {array.name}, {self.type('I')} {places.name}").name

    def word_gather(self, source: Value, places: Value) -> Value:
        name, vector, mask = f"llvm.masked.gather.v{self.width}f64.v{self.width}p0", self.type("F"), self.type("B")
        pointers = f"<{self.width} x ptr>"
        self.declared.add(f"declare {vector} @{name}({pointers}, i32, {mask}, {vector})")
        given = f"{pointers} {self._addresses(source, places)}, i32 8, {mask} {self.lift(True, 'B').name}"
        return self.emit("F", f"call {vector} @{name}({given}, {vector} poison)")

    def word_scatter(self, target: Value, places: Value, mask: Value, a: Value) -> None:
        name, vector = f"llvm.masked.scatter.v{self.width}f64.v{self.width}p0", self.type("F")
        pointers = f"<{self.width} x ptr>"
        self.declared.add(f"declare void @{name}({vector}, {pointers}, i32, {self.type('B')})")
        given = f"{vector} {a.name}, {pointers} {self._addresses(target, places)}, i32 8"
        self.lines.append(f"  call void @{name}({given}, {self.type('B')} {mask.name})")

    def word_take(self, queue: Value) -> Value:
        return self.emit("i", f"atomicrmw add ptr {queue.name}, i64 1 monotonic")
