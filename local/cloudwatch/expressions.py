"""Metric math over time series, as far as alarms and dashboards use it.

A series maps the start of a period (seconds since the epoch, a multiple of the period) to a value; what is absent is
missing. As CloudWatch has it: an operation on two series has a point only where both have one, comparisons and logic
answer 1 or 0, a division by nought answers nothing, and a constant is there at any time.
Source: CloudWatch User Guide, "Using math expressions with CloudWatch metrics".
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache

Series = Mapping[int, float]


class ExpressionError(ValueError):
    """The expression says something that this evaluator does not know, or names no metric."""


_ARITHMETIC: dict[type[ast.operator], Callable[[float, float], float | None]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: lambda left, right: left / right if right else None,
    ast.Pow: operator.pow,
}
_COMPARISONS: dict[type[ast.cmpop], Callable[[float, float], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_OF_SEVERAL: dict[str, Callable[[list[float]], float]] = {
    "MIN": min,
    "MAX": max,
    "SUM": sum,
    "AVG": lambda values: sum(values) / len(values),
}
# CloudWatch writes AND, OR, &&, || and ^ where Python's grammar has its own words.
_WORDS = {"AND": " and ", "&&": " and ", "OR": " or ", "||": " or ", "^": "**"}


def value_at(expression: str, time: int, series: Callable[[str], Series], *, period: int = 60) -> float | None:
    """The value of the expression in the period that starts at ``time``; None when it is missing. ``period``: seconds.

    Raises: ExpressionError.
    """
    return _Evaluation(time, series, period).value(_parsed(expression))


def names_in(expression: str) -> frozenset[str]:
    """The ids of metrics and expressions that it uses. Raises: ExpressionError."""
    return frozenset(_names(_parsed(expression)))


def _names(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Call):
        children: list[ast.AST] = list(node.args)
    else:
        children = list(ast.iter_child_nodes(node))
    if isinstance(node, ast.Name):
        yield node.id
    for child in children:
        yield from _names(child)


@cache
def _parsed(expression: str) -> ast.expr:
    python = re.sub(r"\bAND\b|\bOR\b|&&|\|\||\^", lambda found: _WORDS[found[0]], expression)
    try:
        return ast.parse(python, mode="eval").body
    except SyntaxError as error:
        raise ExpressionError(f"{expression}: {error.msg}") from error


class _Evaluation:
    def __init__(self, time: int, series: Callable[[str], Series], period: int) -> None:
        self._period = period
        self._time = time
        self._series = series

    def value(self, node: ast.expr) -> float | None:  # noqa: PLR0911 - a kind of node each
        match node:
            case ast.Constant(value=int() | float() as number):
                return float(number)
            case ast.Name(id=name):
                return self._series(name).get(self._time)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return self._both(ast.Constant(0), operand, operator.sub)
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
                return self._both(left, right, _ARITHMETIC[type(op)])
            case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _COMPARISONS:
                return self._both(left, right, _COMPARISONS[type(op)])
            case ast.BoolOp(op=op, values=values):
                found = [self.value(one) for one in values]
                return None if None in found else float((all if isinstance(op, ast.And) else any)(found))
            case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
                return self._call(name, arguments)
            case _:
                raise ExpressionError(f"{ast.unparse(node)}: not known to this evaluator")

    def _both(self, left: ast.expr, right: ast.expr, operation: Callable[[float, float], float | None]) -> float | None:
        one, other = self.value(left), self.value(right)
        if one is None or other is None:
            return None
        answer = operation(one, other)
        return None if answer is None else float(answer)

    def _call(self, name: str, arguments: list[ast.expr]) -> float | None:  # noqa: PLR0911 - a function each
        match name, arguments:
            case "IF", [condition, then, otherwise]:
                found = self.value(condition)
                return None if found is None else self.value(then if found else otherwise)
            case "FILL", [filled, ast.Constant() as constant]:
                found = self.value(filled)
                return self.value(constant) if found is None else found
            case "PERIOD", [ast.Name()]:
                return float(self._period)
            case "ABS", [one]:
                found = self.value(one)
                return None if found is None else abs(found)
            case "SUM", [ast.Name(id=ident)]:  # of the whole series: a scalar, which no alarm may have
                return sum(self._series(ident).values())
            case "SUM", [ast.Call(func=ast.Name(id="FILL"), args=[ast.Name(id=ident), ast.Constant(value=0)])]:
                return sum(self._series(ident).values())
            case (("MIN" | "MAX" | "SUM" | "AVG"), [ast.List(elts=elements)]):
                values = [value for value in map(self.value, elements) if value is not None]
                return _OF_SEVERAL[name](values) if values else None
            case _:
                raise ExpressionError(f"{name} with {len(arguments)} arguments: not known to this evaluator")
