"""The lines of a model's ``config.pbtxt`` that name its versions.

Triton tells of an answer only the number of the folder it came from. These lines, which it hands
out with the model's configuration, give the number a name. They are parameters of the model, and
backends pass over parameters they don't know.
"""

import re
from collections.abc import Mapping

_LINE = re.compile(
    r'^parameters { key: "version_(?P<number>[1-9][0-9]*)" '
    r'value: { string_value: "(?P<name>[^"\\\n]*)" } }\n',
    re.MULTILINE,
)
_TO_ESCAPE = re.compile(r'[^ -~]|["\\]')


def parameter_of(number: int) -> str:
    """Return the name of the parameter that names the version in a folder."""
    return f"version_{number}"


def names_in(config: str) -> dict[int, str]:
    """Return the versions that a ``config.pbtxt`` names, by the number of their folder."""
    return {int(match["number"]): match["name"] for match in _LINE.finditer(config)}


def with_names(config: str, names: Mapping[int, str]) -> str:
    """Return a ``config.pbtxt`` that names these versions and no others.

    Characters of a name that the file would have to escape become question marks.
    """
    lines = [
        f'parameters {{ key: "{parameter_of(number)}" '
        f'value: {{ string_value: "{_TO_ESCAPE.sub("?", name)}" }} }}\n'
        for number, name in sorted(names.items())
    ]
    return _LINE.sub("", config).rstrip("\n") + "\n" + "".join(lines)
