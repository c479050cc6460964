"""The pages say what is true: links lead somewhere, and every setting is listed."""

import re
from pathlib import Path

import pytest

from service.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    *ROOT.glob("*.md"),
    *ROOT.glob("docs/*.md"),
    *ROOT.glob("*/README.md"),
]
LINK = re.compile(r"\[[^\]]*\]\((?P<target>[^)#]+)(#[^)]*)?\)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_to_files_lead_somewhere(page: Path) -> None:
    targets = [match["target"] for match in LINK.finditer(page.read_text(encoding="utf-8"))]
    local = [target for target in targets if "://" not in target]

    assert [target for target in local if not (page.parent / target).exists()] == []


def test_every_setting_is_listed_with_its_description() -> None:
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")

    missing = [
        name
        for name, field in Settings.model_fields.items()
        if f"| `RAPT_{name.upper()}` |" not in page or f"| {field.description} |" not in page
    ]

    assert missing == []
