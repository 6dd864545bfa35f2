"""A small part of Python -> LLVM's intermediate language: how the driver is compiled from the text that also runs as it
is.

Two kinds of values: those known while translating (Python objects: tables, row numbers, kernels) and those of the run.
- `for` loops run while translating and are written out; `while` loops are loops of the run. `if` is either.
- `name: int = ...` (or float) declares a variable of the run that loops and branches may change; a plain assignment
names a value for the rest of its block. - calls of functions written in the same words are written out in place.
Whatever does not fit is an error here, never a guess. Only this package's own functions are ever translated, no model
text.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import operator
import textwrap
from collections.abc import Callable
from functools import cache
from types import FunctionType
from typing import Any, NamedTuple

from ldnsim.engine import lanes
from ldnsim.engine.compiler.ir import Value, Writer

__all__ = ["Translator", "fields", "translate"]

# kinds of values of the run: i, f, b are one number, I, F, B one per lane; with * in front, arrays of them
ARGUMENT_KINDS = {
    "Floats": "*f",
    "Ints": "*i",
    "Rows": "*F",
    "RowsOfInts": "*I",
    "int": "i",
    "float": "f",
    "Vector": "F",
}
DECLARED = {"int": "i", "float": "f", "Vector": "F"}
ARITHMETIC = {
    ast.Add: ("add", "fadd"),
    ast.Sub: ("sub", "fsub"),
    ast.Mult: ("mul", "fmul"),
    ast.Div: ("", "fdiv"),
    ast.BitAnd: ("and", ""),
    ast.BitOr: ("or", ""),
    ast.LShift: ("shl", ""),
    ast.RShift: ("ashr", ""),
}
STATIC: dict[type, Callable[..., Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.LShift: operator.lshift,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
    ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.USub: operator.neg,
    ast.Not: operator.not_,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
}
COMPARE = {
    ast.Eq: ("eq", "oeq"),
    ast.NotEq: ("ne", "une"),
    ast.Lt: ("slt", "olt"),
    ast.LtE: ("sle", "ole"),
    ast.Gt: ("sgt", "ogt"),
    ast.GtE: ("sge", "oge"),
}


class Variable(NamedTuple):
    kind: str
    place: str


@cache
def _tree(function: Callable[..., Any]) -> ast.FunctionDef:
    tree = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    assert isinstance(tree, ast.FunctionDef)
    return tree


def translate(
    name: str,
    function: Callable[..., Any],
    width: int,
    fused: bool,
    static: dict[str, Any],
    exported: bool = False,
    inline: bool = False,
) -> tuple[str, str]:
    """(text of one LLVM function, declarations that it needs). Arguments in `static` are known, the others come at run
    time.
    """
    assert isinstance(function, FunctionType)
    tree = _tree(function)
    translator = Translator(width, fused)
    scope: dict[str, Any] = {}
    arguments = []
    for argument in tree.args.args:
        if argument.arg in static:
            scope[argument.arg] = static[argument.arg]
            continue
        assert isinstance(argument.annotation, ast.Name), argument.arg
        scope[argument.arg], given = _argument(argument.arg, argument.annotation.id, function)
        arguments += [f"{translator.type(value.kind)} {value.name}" for value in given]
    result = translator.body(tree.body, scope, function)
    kind = translator.type(result.kind) if result else "void"
    linkage = "" if exported else "internal "
    head = f"define {linkage}{kind} @{name}({', '.join(arguments)}) #{2 if inline else 0} {{\nentry:\n"
    end = f"  ret {kind} {result.name}" if result else "  ret void"
    text = head + "\n".join([*translator.entry, *translator.lines, end, "}"])
    return text, "\n".join(sorted(translator.declared))


def _argument(name: str, annotation: str, function: FunctionType) -> tuple[Any, list[Value]]:
    """An argument as the function sees it, and those of the run behind it: a record (NamedTuple) has one per field."""
    if annotation in ARGUMENT_KINDS:
        value = Value(ARGUMENT_KINDS[annotation], f"%{name}")
        return value, [value]
    record = function.__globals__[annotation]
    values = [Value(ARGUMENT_KINDS[kind], f"%{name}.{field}") for field, kind in fields(record)]
    return record(*values), values


def fields(record: type) -> list[tuple[str, str]]:
    """(name, annotation) of a record's fields, as written."""
    return [
        (name, str(getattr(kind, "__forward_arg__", kind))) for name, kind in inspect.get_annotations(record).items()
    ]


class Translator(Writer):
    """Writes one function from its syntax tree. `scope`: what names stand for, known objects, values, variables."""

    # --- statements

    def body(self, statements: list[ast.stmt], scope: dict[str, Any], function: FunctionType) -> Any:
        """Write the statements; the value of a closing `return`."""
        for statement in statements:
            if isinstance(statement, ast.Return):
                return None if statement.value is None else self.value(statement.value, scope, function)
            self.statement(statement, scope, function)
        return None

    def statement(self, node: ast.stmt, scope: dict[str, Any], function: FunctionType) -> None:
        match node:
            case ast.Expr(ast.Constant()):
                return
            case ast.Expr(value):
                self.value(value, scope, function)
            case ast.AnnAssign(target=ast.Name(id=name), annotation=ast.Name(id=declared), value=value) if (
                value is not None
            ):
                kind = DECLARED[declared]
                place = self.fresh(name)
                self.entry.append(f"  {place} = alloca {self.type(kind)}")
                scope[name] = Variable(kind, place)
                self.assign(node.target, self.value(value, scope, function), scope, function)
            case ast.Assign(targets=[target], value=value):
                self.assign(target, self.value(value, scope, function), scope, function)
            case ast.AugAssign(target, op, value):
                read = ast.parse(ast.unparse(target), mode="eval").body
                changed = self.binary(op, self.value(read, scope, function), self.value(value, scope, function))
                self.assign(target, changed, scope, function)
            case ast.For(target, iterable, inner, []):
                for item in self.value(iterable, scope, function):
                    self.assign(target, item, scope, function)
                    self.block(inner, scope, function)
            case ast.While(test, inner, []):
                self.loop(test, inner, scope, function)
            case ast.If(test, then, otherwise):
                self.branch(test, then, otherwise, scope, function)
            case _:
                raise TypeError(f"{function.__name__}: {ast.unparse(node)}")

    def block(self, statements: list[ast.stmt], scope: dict[str, Any], function: FunctionType) -> None:
        if self.body(statements, scope, function) is not None:
            raise TypeError(f"{function.__name__}: return inside a loop or branch")

    def assign(self, target: ast.expr, value: Any, scope: dict[str, Any], function: FunctionType) -> None:
        match target:
            case ast.Name(id=name):
                known = scope.get(name)
                if isinstance(known, Variable):
                    lifted = self.lift(value, known.kind)
                    self.lines.append(f"  store {self.type(known.kind)} {lifted.name}, ptr {known.place}")
                else:
                    scope[name] = value
            case ast.Tuple(elts=targets):
                for inner, item in zip(targets, value, strict=True):
                    self.assign(inner, item, scope, function)
            case ast.Subscript(value=array, slice=place):
                self.store(self.value(array, scope, function), self.places(place, scope, function), value)
            case _:
                raise TypeError(ast.unparse(target))

    def places(self, node: ast.expr, scope: dict[str, Any], function: FunctionType) -> list[Any]:
        nodes = node.elts if isinstance(node, ast.Tuple) else [node]
        return [self.value(inner, scope, function) for inner in nodes]

    def inside(self, statements: list[ast.stmt], scope: dict[str, Any], function: FunctionType) -> None:
        """Statements of a loop or branch of the run: names bound in there end there."""
        own = dict(scope)
        self.block(statements, own, function)
        changed = [name for name in scope if own[name] is not scope[name]]
        if changed:
            raise TypeError(f"{function.__name__}: {changed} change inside a loop or branch; declare them with a type")

    def label(self, name: str) -> None:
        self.lines.append(f"{name[1:]}:")

    def jump(self, name: str) -> None:
        self.lines.append(f"  br label {name}")

    def loop(self, test: ast.expr, inner: list[ast.stmt], scope: dict[str, Any], function: FunctionType) -> None:
        top, start, end = self.fresh("top"), self.fresh("loop"), self.fresh("end")
        self.jump(top)
        self.label(top)
        condition = self.lift(self.value(test, scope, function), "b")
        self.lines.append(f"  br i1 {condition.name}, label {start}, label {end}")
        self.label(start)
        self.inside(inner, scope, function)
        self.jump(top)
        self.label(end)

    def branch(
        self,
        test: ast.expr,
        then: list[ast.stmt],
        otherwise: list[ast.stmt],
        scope: dict[str, Any],
        function: FunctionType,
    ) -> None:
        condition = self.value(test, scope, function)
        if not isinstance(condition, Value):
            self.block(then if condition else otherwise, scope, function)
            return
        yes, no, end = self.fresh("then"), self.fresh("else"), self.fresh("end")
        self.lines.append(f"  br i1 {condition.name}, label {yes}, label {no}")
        for name, statements in ((yes, then), (no, otherwise)):
            self.label(name)
            self.inside(statements, scope, function)
            self.jump(end)
        self.label(end)

    # --- expressions

    def value(  # noqa: C901, PLR0911, PLR0912 - a case per kind of node
        self, node: ast.expr, scope: dict[str, Any], function: FunctionType
    ) -> Any:
        def inner(part: ast.expr) -> Any:
            return self.value(part, scope, function)

        match node:
            case ast.Constant(value=value):
                return value
            case ast.Name(id=name):
                return self.named(name, scope, function)
            case ast.Attribute(value=owner, attr=name):
                return getattr(inner(owner), name)
            case ast.Tuple(elts=parts):
                return tuple(inner(part) for part in parts)
            case ast.Subscript(value=array, slice=place):
                source = inner(array)
                if isinstance(source, Value):
                    return self.load(source, self.places(place, scope, function))
                return source[inner(place)]
            case ast.Slice(lower=lower, upper=upper):
                return slice(lower and inner(lower), upper and inner(upper))
            case ast.BinOp(left=left, op=op, right=right):
                return self.binary(op, inner(left), inner(right))
            case ast.UnaryOp(op=op, operand=operand):
                return self.unary(op, inner(operand))
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                return self.compare(op, inner(left), inner(right))
            case ast.BoolOp(op=op, values=parts):
                return self.both_or_either(isinstance(op, ast.And), parts, scope, function)
            case ast.IfExp(test=test, body=then, orelse=otherwise):
                return inner(then) if inner(test) else inner(otherwise)
            case ast.Call(func=called, args=arguments, keywords=[]):
                return self.call(inner(called), [inner(argument) for argument in arguments])
        raise TypeError(f"{function.__name__}: {ast.unparse(node)}")

    def named(self, name: str, scope: dict[str, Any], function: FunctionType) -> Any:
        if name in scope:
            found = scope[name]
            if isinstance(found, Variable):
                return self.emit(found.kind, f"load {self.type(found.kind)}, ptr {found.place}")
            return found
        return function.__globals__[name] if name in function.__globals__ else getattr(builtins, name)

    def binary(self, op: ast.operator, left: Any, right: Any) -> Any:
        if not isinstance(left, Value) and not isinstance(right, Value):
            return STATIC[type(op)](left, right)
        a, b = self.together(left, right)
        whole, real = ARITHMETIC[type(op)]
        word = real if a.kind in "fF" else whole
        if not word:
            raise TypeError(f"{type(op).__name__} of {a.kind}")
        return self.emit(a.kind, f"{word} {self.type(a.kind)} {a.name}, {b.name}")

    def unary(self, op: ast.unaryop, operand: Any) -> Any:
        if not isinstance(operand, Value):
            return STATIC[type(op)](operand)
        kind = self.type(operand.kind)
        if isinstance(op, ast.USub) and operand.kind in "fF":
            return self.emit(operand.kind, f"fneg {kind} {operand.name}")
        if isinstance(op, ast.USub):
            return self.emit(operand.kind, f"sub {kind} {self.lift(0, operand.kind).name}, {operand.name}")
        true = self.lift(True, operand.kind).name  # what is left: `not`, and `~` of a mask
        return self.emit(operand.kind, f"xor {kind} {operand.name}, {true}")

    def compare(self, op: ast.cmpop, left: Any, right: Any) -> Any:
        if not isinstance(left, Value) and not isinstance(right, Value):
            return STATIC[type(op)](left, right)
        a, b = self.together(left, right)
        real = a.kind in "fF"
        word = f"{'fcmp' if real else 'icmp'} {COMPARE[type(op)][real]}"
        return self.emit("B" if a.kind.isupper() else "b", f"{word} {self.type(a.kind)} {a.name}, {b.name}")

    def both_or_either(self, both: bool, parts: list[ast.expr], scope: dict[str, Any], function: FunctionType) -> Any:
        """`and`, `or`: what stands later is only computed where it counts."""
        first = self.value(parts[0], scope, function)
        if len(parts) == 1 or (not isinstance(first, Value) and bool(first) != both):
            return first
        if not isinstance(first, Value):
            return self.both_or_either(both, parts[1:], scope, function)
        place, more, end = self.fresh("logic"), self.fresh("more"), self.fresh("end")
        self.entry.append(f"  {place} = alloca i1")
        self.lines.append(f"  store i1 {first.name}, ptr {place}")
        self.lines.append(f"  br i1 {first.name}, label {more if both else end}, label {end if both else more}")
        self.label(more)
        rest = self.lift(self.both_or_either(both, parts[1:], scope, function), "b")
        self.lines.append(f"  store i1 {rest.name}, ptr {place}")
        self.jump(end)
        self.label(end)
        return self.emit("b", f"load i1, ptr {place}")

    def call(self, called: Any, arguments: list[Any]) -> Any:
        if hasattr(called, "emit_call"):  # a kernel or a compiled function
            return called.emit_call(self, *arguments)
        if getattr(called, "__module__", "") == lanes.__name__:
            return getattr(self, f"word_{called.__name__}")(*arguments)
        if isinstance(called, FunctionType):
            scope = dict(zip((a.arg for a in _tree(called).args.args), arguments, strict=True))
            return self.body(_tree(called).body, scope, called)
        if any(isinstance(argument, Value) for argument in arguments):
            raise TypeError(f"{called} of a value of the run")
        return called(*arguments)  # range, len, enumerate, zip, float
