"""``python -m container.pins``: writes what images' tags stand for now (``make pin-images``).

A tag can be moved; a digest can't. Digests are asked of the registries and never made up: what
can't be resolved keeps what it had, be it the placeholder, with which nothing can be pulled. An
example's name that nobody put theirs in place of isn't asked for.
"""

import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import click
import httpx

from container.registry import DigestUnknown, Image, digest_of

PLACEHOLDER = "sha256:PINNED_BY_MAKE_PIN_IMAGES"
_FILES = ("Containerfile", "k8s/**/*.yaml")
# A domain that is nobody's (RFC 2606).
_EXAMPLES = "registry.example.com/"
_SECONDS = 30.0
_DIGEST = r"sha256:(?:[0-9a-f]{64}|PINNED_BY_MAKE_PIN_IMAGES)"
# As in `FROM`, and in a pod's `image:`.
_REFERENCE = re.compile(
    rf"(?P<name>[a-z0-9][\w.-]*(?::\d+)?/[\w./-]+):(?P<tag>[\w.-]+)@(?P<digest>{_DIGEST})"
)
# As in the `images` of a kustomization.
_ENTRY = re.compile(
    r"^(?P<indent> *)- name: (?P<name>\S+)\n"
    r"(?P<keys>(?:(?P=indent)  (?:newName|newTag|digest): \S+\n)+)",
    re.MULTILINE,
)
_KEY = re.compile(r"(newName|newTag|digest): (\S+)")

Resolve = Callable[[str, str], str | None]


def pinned(text: str, resolve: Resolve) -> str:
    """Return a Containerfile or a manifest with the digests of now.

    Args:
        text: what it says.
        resolve: returns the digest of a name and a tag; None leaves what is there.
    """

    def of_reference(match: re.Match[str]) -> str:
        name, tag = match["name"], match["tag"]
        return f"{name}:{tag}@{resolve(name, tag) or match['digest']}"

    def of_entry(match: re.Match[str]) -> str:
        keys: dict[str, str] = dict(_KEY.findall(match["keys"]))
        if not {"newTag", "digest"} <= keys.keys():
            return match[0]
        digest = resolve(keys.get("newName", match["name"]), keys["newTag"]) or keys["digest"]
        return match[0].replace(f"digest: {keys['digest']}", f"digest: {digest}")

    return _ENTRY.sub(of_entry, _REFERENCE.sub(of_reference, text))


def pin(
    files: Sequence[Path], client: httpx.Client, say: Callable[[str], None] = click.echo
) -> list[str]:
    """Write the digests of now into files; each image is asked for once.

    Args:
        files: Containerfiles and manifests.
        client: that registries are asked with.
        say: is told which names are examples.

    Returns:
        What couldn't be resolved, and why, a sentence each.
    """
    known: dict[tuple[str, str], str | None] = {}
    refused: list[str] = []

    def once(name: str, tag: str) -> str | None:
        if (name, tag) not in known and name.startswith(_EXAMPLES):
            known[name, tag] = None
            say(
                f"{name}:{tag} is an example's name, which nobody can pull: it is left until yours "
                "stands there."
            )
        if (name, tag) not in known:
            try:
                known[name, tag] = digest_of(_image(name, tag), client)
            except DigestUnknown as error:
                known[name, tag] = None
                refused.append(str(error))
        return known[name, tag]

    for file in files:
        before = file.read_text(encoding="utf-8")
        after = pinned(before, once)
        if after != before:
            file.write_text(after, encoding="utf-8")
    return refused


def _image(name: str, tag: str) -> Image:
    """Return what a name means; its registry has to be said.

    Raises:
        DigestUnknown: it isn't: the name would be somebody else's at Docker Hub.
    """
    registry, slash, repository = name.partition("/")
    if not slash or not ({".", ":"} & set(registry) or registry == "localhost"):
        raise DigestUnknown(f"{name}:{tag}: say its registry, as in registry.example.com/{name}.")
    return Image(registry, repository, tag)


@click.command()
@click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
def main(files: tuple[Path, ...]) -> None:
    """Pin images in FILES; in Containerfile and k8s/, if none is given."""
    chosen = files or tuple(path for name in _FILES for path in sorted(Path().glob(name)))
    with httpx.Client(timeout=_SECONDS, follow_redirects=True) as client:
        refused = pin(chosen, client)
    for reason in refused:
        click.echo(f"Error: {reason} It keeps the digest that it had.", err=True)
    sys.exit(1 if refused else 0)


if __name__ == "__main__":
    main()
