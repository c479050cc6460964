"""Asks a registry which digest a tag stands for now.

The part of the OCI distribution specification (1.1, "Pull") that it takes: a manifest by its tag,
with the anonymous token that public registries ask for first.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlsplit
from urllib.request import parse_http_list, parse_keqv_list

import httpx

# An index names the manifests of all platforms; where there is none, the manifest itself is meant.
_TYPES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
# Docker Hub's name is not where its registry answers.
_ANSWERS_AT = {"docker.io": "registry-1.docker.io"}
_LOOPBACK = re.compile(r"(localhost|127\.\d+\.\d+\.\d+)(:\d+)?")
_MOST_BYTES = 4 * 2**20  # As many as the specification has registries take at least.
_DIGEST_HEADER = "docker-content-digest"


class DigestUnknown(Exception):
    """A tag's digest couldn't be had; the text says why, and nothing is made up instead."""


@dataclass(frozen=True, slots=True)
class Image:
    """An image as a registry has it.

    Attributes:
        registry: its host, with a port where it has one.
        repository: the image's path there.
        tag: of the version.
    """

    registry: str
    repository: str
    tag: str

    def __str__(self) -> str:
        """Return it as it is written in a Containerfile."""
        return f"{self.registry}/{self.repository}:{self.tag}"

    @property
    def url(self) -> str:
        """Where its manifest lies. Without TLS on this machine only, as container tools do."""
        host = _ANSWERS_AT.get(self.registry, self.registry)
        scheme = "http" if _LOOPBACK.fullmatch(host) else "https"
        return f"{scheme}://{host}/v2/{self.repository}/manifests/{self.tag}"


def digest_of(image: Image, client: httpx.Client) -> str:
    """Return ``sha256:...`` of what a tag stands for now; of the bytes that came, not as told.

    Raises:
        DigestUnknown: the registry can't be reached, doesn't have it, wants a password, or says
            another digest than what it sent has.
    """
    try:
        response = client.get(image.url, headers={"accept": ", ".join(_TYPES)})
        if response.status_code == HTTPStatus.UNAUTHORIZED:
            token = _anonymous_token(response.headers, client)
            bearer = {"accept": ", ".join(_TYPES), "authorization": f"Bearer {token}"}
            response = client.get(image.url, headers=bearer)
    except httpx.HTTPError as error:
        raise DigestUnknown(
            f"{image}: its registry can't be reached ({type(error).__name__}). "
            "Try again with a network."
        ) from error
    if response.status_code != HTTPStatus.OK:
        raise DigestUnknown(f"{image}: its registry answers {response.status_code}.")
    return _digest(image, response)


def _anonymous_token(headers: Mapping[str, str], client: httpx.Client) -> str:
    """Return what a registry hands to anybody; empty where it has nothing for them."""
    scheme, _, told = headers.get("www-authenticate", "").partition(" ")
    if scheme.lower() != "bearer":
        return ""
    asked = parse_keqv_list(parse_http_list(told))
    realm = asked.pop("realm", "")
    where = urlsplit(realm)
    if where.scheme != "https" and not _LOOPBACK.fullmatch(where.netloc):
        return ""
    response = client.get(realm, params={**dict(httpx.QueryParams(where.query)), **asked})
    if response.status_code != HTTPStatus.OK:
        return ""
    try:
        body = response.json()
    except ValueError:
        return ""
    return str(body.get("token") or body.get("access_token") or "")


def _digest(image: Image, response: httpx.Response) -> str:
    media_type = response.headers.get("content-type", "").partition(";")[0].strip()
    if media_type not in _TYPES or len(response.content) > _MOST_BYTES:
        raise DigestUnknown(f"{image}: its registry sends no manifest, but {media_type!r}.")
    digest = f"sha256:{hashlib.sha256(response.content).hexdigest()}"
    told = response.headers.get(_DIGEST_HEADER, digest)
    if told != digest:
        raise DigestUnknown(f"{image}: its registry says {told} and sends {digest}.")
    return digest
