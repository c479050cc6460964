"""What autoscalers take for work that waits: metrics and rows that are there, of their own pods."""

from collections.abc import Iterator
from functools import cache

from k8s.checks.manifests import Body, Manifest, Problem, Rendered
from k8s.checks.metrics import Asked, asked_by
from k8s.checks.resources import amount
from k8s.checks.scaling import SCALERS


def scaling_metrics_exist(rendered: Rendered) -> Iterator[Problem]:
    """What is scaled on is something that the service, or Triton, counts."""
    for scaler in rendered.of(*SCALERS):
        for asked in [*_of_queries(scaler), *_of_adapter(scaler)]:
            if asked.problem is not None:
                yield scaler.problem(f"it scales on {asked.problem}")


def queries_ask_of_their_namespace(rendered: Rendered) -> Iterator[Problem]:
    """Prometheus is asked of the pods that are scaled, and not of those of others."""
    for scaler in rendered.of("ScaledObject"):
        for asked in _of_queries(scaler):
            named = asked.labels.get("namespace")
            if named != scaler.namespace:
                yield scaler.problem(
                    f"its query asks of the namespace {named or '(any)'}, and it is in "
                    f"{scaler.namespace}: patch the query"
                )


def targets_are_above_zero(rendered: Rendered) -> Iterator[Problem]:
    """What a pod is to have is more than nothing: numbers of pods are divided by it."""
    for scaler in rendered.of(*SCALERS):
        for name, target in _targets(scaler):
            try:
                is_above = amount(target) > 0
            except ValueError:
                is_above = False
            if not is_above:
                yield scaler.problem(f"its {name} is {target}: a number above 0 is needed")


def scaling_rows_exist(rendered: Rendered) -> Iterator[Problem]:
    """Queries of rows name tables and columns that there are."""
    for scaler in rendered.of("ScaledObject"):
        for trigger in scaler.spec["triggers"]:
            if trigger["type"] == "postgresql":
                reason = _refusal(trigger["metadata"]["query"])
                if reason is not None:
                    yield scaler.problem(f"its query is refused: {reason}")


def _of_queries(scaler: Manifest) -> Iterator[Asked]:
    for trigger in scaler.spec.get("triggers", []):
        if trigger["type"] == "prometheus":
            yield from asked_by(trigger["metadata"]["query"])


def _of_adapter(scaler: Manifest) -> Iterator[Asked]:
    """Give what Kubernetes' own autoscaler has an adapter ask for."""
    for source in _sources(scaler):
        if "metric" in source:
            selector = source["metric"].get("selector", {})
            labels = dict(selector.get("matchLabels", {}))
            labels |= {one["key"]: "" for one in selector.get("matchExpressions", [])}
            yield Asked(source["metric"]["name"], labels)


def _targets(scaler: Manifest) -> Iterator[tuple[str, str | int]]:
    for trigger in scaler.spec.get("triggers", []):
        for name in ("threshold", "targetQueryValue"):
            if name in trigger["metadata"]:
                yield name, trigger["metadata"][name]
    for source in _sources(scaler):
        for name in ("averageValue", "averageUtilization", "value"):
            if name in source["target"]:
                yield name, source["target"][name]


def _sources(scaler: Manifest) -> list[Body]:
    return [
        source
        for metric in scaler.spec.get("metrics", [])
        for source in metric.values()
        if isinstance(source, dict)
    ]


@cache
def _refusal(query: str) -> str | None:
    """Say why tables as the service makes them can't be asked this."""
    # Imported late: the database's library takes its time.
    from sqlalchemy import create_engine, text  # noqa: PLC0415
    from sqlalchemy.exc import DBAPIError  # noqa: PLC0415

    from service.database.tables import metadata  # noqa: PLC0415

    engine = create_engine("sqlite://")
    try:
        with engine.begin() as connection:
            metadata.create_all(connection)
            connection.execute(text(query))
    except DBAPIError as error:
        # Other errors are SQLite's own, of what PostgreSQL takes.
        reason = str(error.orig)
        return reason if reason.startswith(("no such table", "no such column")) else None
    finally:
        engine.dispose()
    return None
