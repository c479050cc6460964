"""Which metrics there are, and which of them an expression of PromQL asks for."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

# Tests hold its table against the code.
PAGE = Path(__file__).resolve().parents[2] / "docs" / "metrics.md"
_ROW = re.compile(
    r"^\| `(rapt_\w+)` \| (gauge|counter|histogram) \| *([^|]*?) *\| [^|]+ \| ([^|]+) \|$",
    re.MULTILINE,
)
# Of Triton, which are used here; github.com/triton-inference-server, docs/user_guide/metrics.md.
TRITON_METRICS = frozenset(
    {
        "nv_inference_queue_duration_us",
        "nv_inference_request_success",
        "nv_inference_pending_request_count",
    }
)
_TRITON_LABELS = frozenset({"model", "version"})
# What Prometheus' operator adds to each of them.
_ADDED = frozenset({"container", "endpoint", "instance", "job", "namespace", "pod", "service"})
_SERIES = {"histogram": ("_bucket", "_sum", "_count")}

_GROUPING = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)")
_SELECTOR = re.compile(
    r"(?<![\w.:$])(?P<name>[a-zA-Z_:][\w:]*)(?!\w)\s*"
    r'(?P<call>\()?(?:\{(?P<labels>(?:"(?:\\.|[^"\\])*"|[^"}])*)\})?'
)
_MATCHER = re.compile(r'(\w+)\s*(?:=~|!~|!=|=)\s*"((?:\\.|[^"\\])*)"')
_WORDS = frozenset({"and", "or", "unless", "offset", "bool", "by", "without", "inf", "nan"})


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric: as listed, or as exposed."""

    name: str
    kind: str
    labels: frozenset[str]


@dataclass(frozen=True, slots=True)
class Asked:
    """A metric that is asked for.

    Attributes:
        name: of its series.
        labels: by which it is narrowed, with what each is compared with.
    """

    name: str
    labels: Mapping[str, str]

    @property
    def problem(self) -> str | None:
        """Why it gives nothing; None where it may give something."""
        known = series().get(self.name)
        if known is None:
            return f"{self.name}, which nobody counts"
        unknown = sorted(self.labels.keys() - known - _ADDED)
        return f"{self.name} by {', '.join(unknown)}, which it hasn't" if unknown else None


def listed() -> dict[Metric, str]:
    """Return all metrics of the service, and where each is exposed."""
    text = PAGE.read_text(encoding="utf-8")
    return {
        Metric(name, kind, frozenset(re.findall(r"`(\w+)`", labels))): where
        for name, kind, labels, where in _ROW.findall(text)
    }


@cache
def series() -> Mapping[str, frozenset[str]]:
    """Return the names of all series, of the service and of Triton, and their labels."""
    found = dict.fromkeys(TRITON_METRICS, _TRITON_LABELS)
    for metric in listed():
        for end in _SERIES.get(metric.kind, ("",)):
            extra = {"le"} if end == "_bucket" else set()
            found[metric.name + end] = metric.labels | extra
    return found


def asked_by(expression: str) -> Iterator[Asked]:
    """Give the metrics of an expression of PromQL, which is taken to be one."""
    for found in _SELECTOR.finditer(_GROUPING.sub(" ", expression)):
        if not found["call"] and found["name"].lower() not in _WORDS:
            yield Asked(found["name"], dict(_MATCHER.findall(found["labels"] or "")))
