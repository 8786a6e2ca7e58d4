"""AND, OR, NOT."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from reeve.language.arguments import operand, operands
from reeve.language.columns import Column, Columns, junction, true_column
from reeve.language.evaluation import Evaluate, Moment, Row
from reeve.language.notation import Call, Form, Literal, Part, Role
from reeve.language.operations.base import Compiler, Example, Expression, Precedence, always, inner
from reeve.language.types import BOOLEAN, Kind, Type
from reeve.language.values import as_boolean


def truth(expression: Expression, compiler: Compiler) -> Evaluate:
    """Return the evaluator of a Boolean operand; a value of an undeclared field is made one when it is met."""
    evaluate = compiler.compile(expression)
    return evaluate if expression.type is BOOLEAN else lambda row, moment: as_boolean(evaluate(row, moment))


@dataclass(frozen=True, slots=True)
class And:
    """True when every argument is; stops at the first that is not (section 2, short circuit)."""

    NAMES: ClassVar[Mapping[str, str]] = {"AND": "True when every argument is true; stops at the first that is not."}
    EXAMPLES: ClassVar[Mapping[str, Example]] = {
        "AND": Example("AND: {args: [{FIELD: {path: a}}, {FIELD: {path: b}}]}", {"a": True, "b": True}, True),
    }
    NOTATION: ClassVar[tuple[Form, ...]] = (Literal(Role.EVERY, "AND", "args"),)
    type: Type = field(default=BOOLEAN, init=False)
    operation: str
    args: tuple[Expression, ...] = operands(Kind.BOOLEAN)

    @property
    def precedence(self) -> Precedence:
        """One argument prints bare, so it binds as that argument does."""
        return Precedence.AND if len(self.args) != 1 else self.args[0].precedence

    def text(self) -> str:
        if len(self.args) == 1:
            return self.args[0].text()
        return " && ".join(inner(arg, Precedence.AND) for arg in self.args)

    def always(self) -> bool | None:
        known = [always(arg) for arg in self.args]
        texts = {arg.text() for arg in self.args}
        if False in known or any(arg.arg.text() in texts for arg in self.args if isinstance(arg, Not)):
            return False
        return None if None in known else True

    def evaluator(self, compiler: Compiler) -> Evaluate:
        evaluates = tuple(truth(arg, compiler) for arg in self.args)
        if len(evaluates) == 2:
            left, right = evaluates
            return lambda row, moment: bool(left(row, moment) and right(row, moment))

        def every(row: Row, moment: Moment) -> bool:
            for evaluate in evaluates:
                if not evaluate(row, moment):
                    return False
            return True

        return every

    def column(self, table: Columns) -> Column:
        return junction(self.args, table, stops_at=False)


@dataclass(frozen=True, slots=True)
class Or:
    """True when some argument is; stops at the first that is (section 2, short circuit)."""

    NAMES: ClassVar[Mapping[str, str]] = {"OR": "True when some argument is true; stops at the first that is."}
    EXAMPLES: ClassVar[Mapping[str, Example]] = {
        "OR": Example("OR: {args: [{FIELD: {path: a}}, {FIELD: {path: b}}]}", {"a": False, "b": True}, True),
    }
    NOTATION: ClassVar[tuple[Form, ...]] = (Literal(Role.SOME, "OR", "args"),)
    type: Type = field(default=BOOLEAN, init=False)
    operation: str
    args: tuple[Expression, ...] = operands(Kind.BOOLEAN)

    @property
    def precedence(self) -> Precedence:
        """One argument prints bare, so it binds as that argument does."""
        return Precedence.OR if len(self.args) != 1 else self.args[0].precedence

    def text(self) -> str:
        if len(self.args) == 1:
            return self.args[0].text()
        return " || ".join(f"({arg.text()})" if arg.precedence is Precedence.AND else arg.text() for arg in self.args)

    def always(self) -> bool | None:
        known = [always(arg) for arg in self.args]
        return True if True in known else None if None in known else False

    def evaluator(self, compiler: Compiler) -> Evaluate:
        evaluates = tuple(truth(arg, compiler) for arg in self.args)

        def some(row: Row, moment: Moment) -> bool:
            for evaluate in evaluates:
                if evaluate(row, moment):
                    return True
            return False

        return some

    def column(self, table: Columns) -> Column:
        return junction(self.args, table, stops_at=True)


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite of its argument; of null: true."""

    NAMES: ClassVar[Mapping[str, str]] = {"NOT": "The opposite of its argument; of null: true."}
    EXAMPLES: ClassVar[Mapping[str, Example]] = {
        "NOT": Example("NOT: {arg: {FIELD: {path: a}}}", {"a": None}, True),
    }
    NOTATION: ClassVar[tuple[Form, ...]] = (Call("not", "NOT", Part("arg")),)
    type: Type = field(default=BOOLEAN, init=False)
    precedence: Precedence = field(default=Precedence.PRIMARY, init=False)
    operation: str
    arg: Expression = operand(Kind.BOOLEAN)

    def text(self) -> str:
        return f"not({self.arg.text()})"

    def always(self) -> bool | None:
        known = always(self.arg)
        return None if known is None else not known

    def evaluator(self, compiler: Compiler) -> Evaluate:
        evaluate = truth(self.arg, compiler)
        return lambda row, moment: not evaluate(row, moment)

    def column(self, table: Columns) -> Column:
        arg = true_column(self.arg, table)
        return arg.then(~arg.value)
