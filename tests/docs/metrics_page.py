"""The table of docs/metrics.md."""

import re
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "metrics.md"
_ROW = re.compile(
    r"^\| `(rapt_\w+)` \| (gauge|counter|histogram) \| *([^|]*?) *\| [^|]+ \| ([^|]+) \|$",
    re.MULTILINE,
)
ALWAYS = "always"


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric: as listed, or as exposed."""

    name: str
    kind: str
    labels: frozenset[str]


def listed() -> dict[Metric, str]:
    """All that are, and where each is exposed."""
    text = PAGE.read_text(encoding="utf-8")
    return {
        Metric(name, kind, frozenset(re.findall(r"`(\w+)`", labels))): where
        for name, kind, labels, where in _ROW.findall(text)
    }
