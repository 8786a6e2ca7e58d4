"""Spark, on this machine, a cluster of one's own, or behind Spark Connect; needs the extra `spark`."""

import os
import re
import sys
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

from sqlglot import expressions

from reeve.evaluate.engines.dialect import Dialect, Expr, array_distinct, ibis
from reeve.evaluate.engines.engine import EngineError
from reeve.evaluate.queries import Query, sql
from reeve.evaluate.stages import MappingStep
from reeve.inventory.columns import wrong_column
from reeve.language.kinds import COLUMN_TYPES, FORMS, STRING
from reeve.language.types import Kind

try:
    from ibis.backends.sql.compilers.pyspark import PySparkCompiler  # pyright: ignore[reportMissingTypeStubs]
    from pyspark.errors import PySparkException
    from pyspark.sql import SparkSession
    from pyspark.sql import functions as spark_functions
except ImportError as error:
    raise EngineError(
        f"the engine spark needs the extra `spark`, or `spark-connect` ({error.name} is missing): pip install 'reeve[spark]'"
    ) from None


class _Options(ibis.config.Config):
    """What Ibis's compiler for Spark asks of its options; only its own connection, with pandas, would register them."""

    treat_nan_as_null: bool = False


if ibis.options.pyspark is None:
    ibis.options.pyspark = _Options()


@ibis.udf.scalar.builtin(name="unix_micros", signature=(("timestamp",), "int64"))
def _unix_micros(time: Any) -> Any: ...


def _instant(text: Expr) -> Expr:
    return _unix_micros(text.try_cast("timestamp('UTC')"))


class _Compiler(PySparkCompiler):
    """Ibis's, but a text is split at a text, not at a regular expression, and NaN is not null."""

    __slots__ = ()

    def visit_IsNull(self, op: Any, *, arg: Any) -> Any:  # noqa: N802 - Ibis finds it by this name
        return arg.is_(expressions.Null())

    def visit_NotNull(self, op: Any, *, arg: Any) -> Any:  # noqa: N802
        return expressions.not_(arg.is_(expressions.Null()))

    def visit_StringSplit(self, op: Any, *, arg: Any, delimiter: Any) -> Any:  # noqa: N802 - Ibis finds it by this name
        return self.f.split(arg, expressions.Literal.string(re.escape(op.delimiter.value)))


DIALECT = Dialect(_Compiler(), distinct=array_distinct, instant=_instant)

_CODE_GENERATOR = "org.apache.spark.sql.catalyst.expressions.codegen.CodeGenerator"
_TYPES = {of.ibis: of.spark for of in COLUMN_TYPES}
_SETTINGS = {
    "spark.sql.ansi.enabled": "false",  # a failed conversion is null, not the end of the run
    "spark.sql.caseSensitive": "true",
    "spark.sql.session.timeZone": "UTC",
}


class Spark:
    """An engine on Spark: `master` is Spark's own (local[2], spark://host:port, yarn), or sc://host:port for Spark Connect."""

    dialect = DIALECT

    def __init__(self, master: str) -> None:
        # Functions run in workers, with the interpreter that runs here.
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
        builder: Any = SparkSession.builder.appName("reeve")
        if master.startswith("sc://"):
            builder = builder.remote(master)
        else:
            builder = builder.master(master).config("spark.ui.enabled", "false").config("spark.ui.showConsoleProgress", "false")
            builder = builder.config("spark.driver.bindAddress", "127.0.0.1") if master.startswith("local") else builder
        with _engine_errors():
            self._session: Any = builder.getOrCreate()
            if not master.startswith("sc://"):
                self._session.sparkContext.setLogLevel("ERROR")
                _quiet_compiler(self._session)
            for name, value in _SETTINGS.items():
                self._session.conf.set(name, value)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._session.stop()

    def open_table(self, name: str, files: Sequence[str], wanted: Mapping[str, Kind]) -> tuple[str, ...]:
        """Make files of Parquet readable under a name (`Engine.open_table`)."""
        with _engine_errors():
            table = self._session.read.parquet(*map(_exact, files))
            found = {field.name: field.dataType.simpleString() for field in table.schema.fields}
        shown: list[Any] = []
        for field, kind in wanted.items():
            read = FORMS[kind].spark.get(found.get(field, ""))
            if read is None:
                raise EngineError(wrong_column(files[0], field, kind, found.get(field)))
            shown.append(spark_functions.expr(read.format(_quoted(field))).alias(field))
        others = (field for field, kind in found.items() if field not in wanted and kind == STRING.spark)
        shown += [spark_functions.col(_quoted(field)) for field in others]
        table.select(*shown).createOrReplaceTempView(name)
        return tuple(found)

    def table(self, name: str, query: Query) -> int:
        """Keep a query's rows as a table (`Engine.table`)."""
        with _engine_errors():
            found = self._session.sql(sql(self.dialect, query)).cache()
            found.createOrReplaceTempView(name)
            return int(found.count())

    def map(self, step: MappingStep) -> None:
        """Make a step's table (`Engine.map`): the function runs in the workers."""
        returns = ", ".join(f"{column}: {_TYPES[dtype]}" for column, dtype in step.results.items())
        function: Any = spark_functions.udf(_Function(step), f"struct<{returns}>", useArrow=False)
        with _engine_errors():
            found = self._session.sql(sql(self.dialect, step.inputs)).withColumn("said", function(*step.keys))
            said = found.select(*step.keys, *(f"said.{column}" for column in step.results)).persist()
            said.createOrReplaceTempView(step.name)
            said.count()  # now, one step after the other: many at once need too much memory

    def write(self, query: Query, directory: str) -> int:
        """Write a query's rows as Parquet (`Engine.write`)."""
        with _engine_errors():
            self._session.sql(sql(self.dialect, query)).write.parquet(directory)
            return int(self._session.read.parquet(directory).count())


class _Function:
    """What a step says, in a worker: the function is made there, once, as it could not be sent."""

    def __init__(self, step: MappingStep) -> None:
        self._step = replace(step, inputs=None)  # pyright: ignore[reportArgumentType] - the query stays here
        self._function: Callable[[Sequence[Any]], list[Any]] | None = None

    def __reduce__(self) -> tuple[type, tuple[MappingStep]]:
        return _Function, (self._step,)

    def __call__(self, *values: Any) -> tuple[Any, ...]:
        self._function = self._function or self._step.function()
        return tuple(self._function([list[Any](value) if isinstance(value, tuple) else value for value in values]))  # pyright: ignore[reportUnknownArgumentType]


def _quiet_compiler(session: Any) -> None:
    """Let Spark not print the Java that is too long to compile: it judges such a stage without, to the same result."""
    log4j = session.sparkContext._jvm.org.apache.logging.log4j
    log4j.core.config.Configurator.setLevel(_CODE_GENERATOR, log4j.Level.OFF)


def _exact(file: str) -> str:
    """Return a path in which no character is a wild card of Hadoop's."""
    return re.sub(r"[*?\[\]{}\\]", r"\\\g<0>", file)


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


@contextmanager
def _engine_errors() -> Generator[None]:
    try:
        yield
    except PySparkException as error:
        advice = "; Spark needs Java, 17 or newer" if error.getCondition() == "JAVA_GATEWAY_EXITED" else ""
        raise EngineError(f"Spark: {str(error).splitlines()[0]}{advice}") from None
    except Exception as error:
        # Py4J reports what goes wrong in the JVM by classes of its own, which exist only where there is a JVM.
        if type(error).__module__.split(".")[0] not in ("py4j", "grpc"):
            raise
        raise EngineError(f"Spark: {_cause(error)}") from None


def _cause(error: Any) -> str:
    """Return what went wrong first, in the JVM."""
    cause = getattr(error, "java_exception", None)
    while cause is not None and cause.getCause() is not None:
        cause = cause.getCause()
    return str(error if cause is None else cause.toString()).splitlines()[0]
