"""Values that stand in a script as constants, without running any of it.

Pure. Knows literals, simple arithmetic, joined text and names that are given one constant once.
"""

from __future__ import annotations

import ast
import operator
from collections import Counter
from collections.abc import Callable
from typing import Any, Final

_MAX_DEPTH: Final = 40
# Names of names can stand for a tree of any size: a script gets this many steps in all.
_MAX_STEPS: Final = 100_000
_MAX_RANGE: Final = 1000
_MAX_TEXT: Final = 2000
_OPERATORS: Final[dict[type[ast.operator], Callable[[Any, Any], Any]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Pow: operator.pow,
}
# Powers and products of larger numbers could take for ever.
_MAX_OPERAND: Final = 1e6
_MAX_EXPONENT: Final = 64


class Constants:
    """The constants of one script."""

    def __init__(self, tree: ast.Module) -> None:
        names = [
            node.id
            for node in ast.walk(tree)
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store | ast.Del)
        ]
        counts = Counter(names)
        self._steps = 0
        self._values: dict[str, ast.expr] = {}
        for node in tree.body:
            target = _single_target(node)
            if target and counts[target] == 1 and isinstance(node, ast.Assign | ast.AnnAssign):
                self._values |= {target: node.value} if node.value else {}

    def value(self, node: ast.expr | None) -> Any:
        """Return the value of an expression; None when it is not constant (or is None)."""
        try:
            return self._value(node, 0)
        except (ValueError, ArithmeticError, TypeError):
            return None

    def text(self, node: ast.expr | None) -> str | None:
        """Return the value of an expression that is constant text."""
        found = self.value(node)
        return found if isinstance(found, str) and len(found) <= _MAX_TEXT else None

    def _value(self, node: ast.expr | None, depth: int) -> Any:
        self._steps += 1
        if node is None or depth > _MAX_DEPTH or self._steps > _MAX_STEPS:
            return None
        if isinstance(node, ast.Constant):
            return node.value
        if isinstance(node, ast.Name) and node.id in self._values:
            return self._value(self._values[node.id], depth + 1)
        if isinstance(node, ast.List | ast.Tuple | ast.Set):
            return [self._value(item, depth + 1) for item in node.elts]
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            return -_small(self._value(node.operand, depth + 1))
        if isinstance(node, ast.BinOp):
            return self._operation(node, depth + 1)
        if isinstance(node, ast.Call):
            return self._call(node, depth + 1)
        return None

    def _operation(self, node: ast.BinOp, depth: int) -> Any:
        left, right = self._value(node.left, depth), self._value(node.right, depth)
        if isinstance(left, str) and isinstance(right, str) and isinstance(node.op, ast.Add):
            return left + right if len(left) + len(right) <= _MAX_TEXT else None
        compute = _OPERATORS.get(type(node.op))
        if compute is None:
            return None
        most = _MAX_EXPONENT if isinstance(node.op, ast.Pow) else _MAX_OPERAND
        found = compute(_small(left), _small(right, most))
        return found if isinstance(found, int | float) else None

    def _call(self, node: ast.Call, depth: int) -> Any:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        given = [self._value(argument, depth) for argument in node.args]
        if name == "range" and given and all(type(bound) is int for bound in given):
            numbers = range(*given)
            return list(numbers) if len(numbers) <= _MAX_RANGE else None
        if name in ("list", "tuple", "sorted") and len(given) == 1 and isinstance(given[0], list):
            return given[0]
        return None


def _single_target(node: ast.stmt) -> str:
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return node.target.id
    if isinstance(node, ast.Assign) and len(node.targets) == 1:
        target = node.targets[0]
        return target.id if isinstance(target, ast.Name) else ""
    return ""


def _small(value: Any, most: float = _MAX_OPERAND) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > most:
        raise ValueError("not a small number")
    return value
