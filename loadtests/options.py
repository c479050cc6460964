"""What options of the command line take."""

from urllib.parse import urlsplit

import click

from loadtests.shapes import positive


class Positive(click.ParamType[float]):
    """A rate or a scale."""

    name = "number"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """See click's class."""
        try:
            return positive(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


def of_url(
    _: click.Context, __: click.Parameter, target: tuple[str, str] | None
) -> tuple[str, str] | None:
    """Return a target, the first of whose two words is a URL, or none where none is given.

    Raises:
        click.BadParameter: it is no URL.
    """
    if target is not None:
        url = urlsplit(target[0])
        if url.scheme not in ("http", "https") or not url.netloc:
            raise click.BadParameter(f"{target[0]!r} is no URL: say http://HOST:PORT.")
    return target
