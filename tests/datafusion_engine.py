"""DataFusion as an engine: what it takes to add one more backend of Ibis."""

import glob
from pathlib import Path

import datafusion
import pyarrow
import pyarrow.parquet
from ibis.backends.sql.compilers.datafusion import DataFusionCompiler

from reeve.evaluate.engines.dialect import Dialect
from reeve.evaluate.queries import sql
from reeve.language.types import Kind

TYPES = {
    "string": pyarrow.string(),
    "float64": pyarrow.float64(),
    "int64": pyarrow.int64(),
    "boolean": pyarrow.bool_(),
    "array<string>": pyarrow.list_(pyarrow.string()),
}


class DataFusion:
    dialect = Dialect(DataFusionCompiler())

    def __init__(self):
        # Beyond its depth its parser takes NOT (…) for a function.
        config = datafusion.SessionConfig().set("datafusion.sql_parser.recursion_limit", "1000")
        self.context = datafusion.SessionContext(config)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def _register(self, name, table):
        name = f'"{name}"'  # as in queries, or it would be taken in small letters
        self.context.deregister_table(name)
        self.context.register_record_batches(name, [table.to_batches() or [pyarrow.RecordBatch.from_pylist([], table.schema)]])

    def open_table(self, name, files, wanted):
        paths = [path for file in files for path in glob.glob(file)]
        table = pyarrow.concat_tables([pyarrow.parquet.read_table(path) for path in paths])
        found = tuple(table.column_names)
        for column, kind in wanted.items():
            at = table.column_names.index(column)
            if kind is Kind.NUMBER:
                table = table.set_column(at, column, table[column].cast(pyarrow.float64()))
            if kind is Kind.DATE_TIME:
                table = table.set_column(at, column, table[column].cast(pyarrow.timestamp("us", "UTC")).cast(pyarrow.int64()))
        self._register(name, table)
        return found

    def _rows(self, query):
        return self.context.sql(query).to_arrow_table()

    def map(self, step):
        inputs = self._rows(sql(self.dialect, step.inputs))
        function = step.function()
        said = [function([row[name] for name in step.keys]) for row in inputs.to_pylist()]
        columns = {name: inputs[name].cast(TYPES[dtype]) for name, dtype in zip(step.keys, step.dtypes, strict=True)}
        for position, (name, dtype) in enumerate(step.results.items()):
            columns[name] = pyarrow.array([results[position] for results in said], TYPES[dtype])
        self._register(step.name, pyarrow.table(columns))

    def write(self, query, directory):
        rows = self._rows(sql(self.dialect, query))
        Path(directory).mkdir(parents=True)
        pyarrow.parquet.write_table(rows, f"{directory}/part-0.parquet")
        return rows.num_rows

    def table(self, name, query):
        rows = self._rows(sql(self.dialect, query))
        self._register(name, rows)
        return rows.num_rows
