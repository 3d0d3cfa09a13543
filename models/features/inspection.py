"""A look into a feature store through DuckDB: a summary of every feature, and questions in SQL."""

from pathlib import Path
from typing import Any

import duckdb

from models.features.batch import Status
from models.features.catalog import FEATURES
from models.features.store import open_store
from streams.errors import BadInputError

QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
VIEW = "features"


def connect(folder: Path) -> duckdb.DuckDBPyConnection:
    """A connection that sees the store as the view `features` and no other file, and cannot be told otherwise."""
    path, _ = open_store(folder)
    quoted = str(path.resolve()).replace("'", "''")
    connection = duckdb.connect(":memory:")
    connection.execute(f"CREATE VIEW {VIEW} AS SELECT * FROM read_parquet('{quoted}')")  # noqa: S608 - quoted above
    connection.execute(f"SET allowed_paths = ['{quoted}']")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection


def summary(folder: Path) -> dict[str, Any]:
    """Metadata, rows by status, and for each feature its missing share, min, quantiles, max and mean, and the same by
    fraud where the store has labels. Repeated events have no features and are left out."""
    _, metadata = open_store(folder)
    with connect(folder) as connection:
        held = {row[0] for row in connection.execute(f"DESCRIBE {VIEW}").fetchall()}
        status = connection.execute(f"SELECT status, count(*) FROM {VIEW} GROUP BY 1 ORDER BY 1").fetchall()  # noqa: S608
        groups = {"all": "true"}
        if "is_fraud" in held:
            groups |= {"fraud": "is_fraud", "genuine": "NOT is_fraud"}
        features = [
            {"name": feature.name, "unit": feature.unit, "family": feature.family}
            | {group: _column(connection, feature.name, condition) for group, condition in groups.items()}
            for feature in FEATURES
        ]
    return {
        "store": metadata,
        "rows_by_status": {Status(found).name.lower(): rows for found, rows in status},
        "features": features,
    }


def _column(connection: duckdb.DuckDBPyConnection, name: str, condition: str) -> dict[str, Any]:
    known = f'FILTER (NOT isnan("{name}"))'
    found = connection.execute(
        f'SELECT count(*), count(*) {known}, min("{name}") {known}, max("{name}") {known},'  # noqa: S608 - our names
        f' avg("{name}") {known}, quantile_cont("{name}"::DOUBLE, {list(QUANTILES)}) {known}'
        f" FROM {VIEW} WHERE status <> {int(Status.REPEATED)} AND {condition}"
    ).fetchone()
    rows, values, low, high, mean, quantiles = found if found is not None else (0, 0, None, None, None, None)
    return {
        "rows": rows,
        "missing_share": None if rows == 0 else 1 - values / rows,
        "min": low,
        "quantiles": dict(zip(map(str, QUANTILES), quantiles or [None] * len(QUANTILES), strict=True)),
        "max": high,
        "mean": mean,
    }


def ask(folder: Path, sql: str) -> dict[str, Any]:
    """Columns and rows of one SELECT against the view `features`. Raises `BadInputError` for anything else."""
    with connect(folder) as connection:
        try:
            statements = connection.extract_statements(sql)
            if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
                raise BadInputError("--sql takes one SELECT against the view `features`")
            found = connection.execute(statements[0])
            columns = [column[0] for column in found.description or []]
            return {"columns": columns, "rows": [list(row) for row in found.fetchall()]}
        except duckdb.Error as error:
            raise BadInputError(f"--sql: {error}") from error
