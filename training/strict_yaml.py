"""Reads YAML in which no key stands twice: plain YAML lets the last one win, silently."""

from typing import Any

import yaml


def read_yaml(text: str) -> Any:  # noqa: ANN401  # whatever the text holds
    """Return what a YAML text holds: plain values, lists and dicts; None where it is empty.

    Raises:
        yaml.YAMLError: it is no YAML, or a mapping names a key twice; in one line, for people.
    """
    try:
        loader = _Loader(text)
        try:
            return loader.get_single_data()
        finally:
            loader.dispose()
    except _TwiceError:
        raise
    except yaml.YAMLError as error:
        raise yaml.YAMLError(f"no YAML: {' '.join(str(error).split())}") from error


class _TwiceError(yaml.YAMLError):
    pass


class _Loader(yaml.SafeLoader):
    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:  # noqa: ANN401  # its stub errs
        """Compare keys as they are written, before merges (``<<``) bring in others."""
        node: yaml.MappingNode = super().compose_mapping_node(anchor)
        lines: dict[tuple[str, str], int] = {}
        for key, _ in node.value:
            name, line = (key.tag, str(key.value)), key.start_mark.line + 1
            if name in lines:
                raise _TwiceError(
                    f"line {line}: {key.value} is given in line {lines[name]} already. Remove one"
                )
            lines[name] = line
        return node
