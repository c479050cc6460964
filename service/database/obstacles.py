"""What of a PostgreSQL stands in the way of jobs, though it answers."""

from sqlalchemy import Connection, text

_ASKED = text(
    """
    SELECT current_setting('server_encoding') AS encoding,
        current_setting('transaction_read_only') = 'on' AS is_read_only,
        (to_regclass('installation') IS NOT NULL
            OR COALESCE(has_schema_privilege(current_schema(), 'CREATE'), false))
        AND (to_regnamespace('dbos') IS NOT NULL
            OR has_database_privilege(current_database(), 'CREATE')) AS has_tables_or_may
    """
)


def obstacle_in(connection: Connection) -> str | None:
    """Return what is to be done about a database before it can be used, as sentences.

    See https://www.postgresql.org/docs/current/functions-info.html for what is asked.
    """
    found = connection.execute(_ASKED).one()
    if found.encoding != "UTF8":
        return (
            f"its encoding is {found.encoding}, and names may have any letter. Make one with "
            "ENCODING 'UTF8' TEMPLATE template0."
        )
    if found.is_read_only:
        return "it can only be read (default_transaction_read_only, or a standby)."
    if not found.has_tables_or_may:
        return (
            "it has no tables of jobs, and this role may make none. Grant it CREATE on the "
            "database and its schema, or run `rapt migrate` as a role that may."
        )
    return None
