"""Pages that need nothing else: no script, no font, no network.

Whatever comes from outside, such as a name, is escaped by the template engine, and each page's own
policy forbids it to load anything.
"""

from importlib.resources import files

from jinja2 import Environment, FunctionLoader, StrictUndefined, Template
from markupsafe import Markup

from emotion.palette import COLOURS
from emotion.reports.charts import HEIGHT, WIDTH, clock
from emotion.reports.wording import percent


def template(name: str) -> Template:
    """Return a page of this package, with the look and the frame (``page.html``) of all of them."""
    environment = Environment(
        loader=FunctionLoader(_text),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"clock": clock, "percent": percent}
    style = Markup(_text("style.css"))  # noqa: S704  # our own
    environment.globals |= {"COLOURS": COLOURS, "WIDTH": WIDTH, "HEIGHT": HEIGHT, "style": style}
    return environment.get_template(name)


def _text(name: str) -> str:
    return files("emotion.reports").joinpath(name).read_text(encoding="utf-8")
