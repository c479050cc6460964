"""What time it is where the rows are: machines that share a database don't share a clock."""

from typing import Any

from sqlalchemy import Float
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

# A function of this name is made for each connection; SQLite's own has whole seconds before 3.42.
SQLITE_NOW = "rapt_now"


class Now(FunctionElement[float]):
    """The time as seconds since 1970, UTC, for statements: not of the transaction, but of now."""

    type = Float()
    inherit_cache = True


@compiles(Now, "postgresql")
def _postgres_now(element: Now, compiler: Any, **options: Any) -> str:  # noqa: ANN401, ARG001  # SQLAlchemy's own
    return "CAST(EXTRACT(EPOCH FROM clock_timestamp()) AS DOUBLE PRECISION)"


@compiles(Now, "sqlite")
def _sqlite_now(element: Now, compiler: Any, **options: Any) -> str:  # noqa: ANN401, ARG001  # SQLAlchemy's own
    return f"{SQLITE_NOW}()"
