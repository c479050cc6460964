"""A registry of the OCI distribution specification over HTTP, on a free port of the loopback."""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

INDEX = "application/vnd.oci.image.index.v1+json"
TOKEN = "anybody's"  # noqa: S105  # a test's


@dataclass
class Registry:
    """What it has, and what it was asked.

    Attributes:
        host: its name in an image, with the port.
        manifests: by repository and tag.
        wants_token: it answers 401 without its token, which is for one repository: library/python.
        told_digest: said in place of the right one.
        media_type: of every manifest.
        asked: paths, in order.
    """

    host: str = ""
    manifests: dict[tuple[str, str], bytes] = field(default_factory=dict)
    wants_token: bool = False
    told_digest: str | None = None
    media_type: str = INDEX
    asked: list[str] = field(default_factory=list)

    def put(self, repository: str, tag: str) -> str:
        """Put an image there; return its digest."""
        content = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "of": repository}).encode()
        self.manifests[repository, tag] = content
        return f"sha256:{hashlib.sha256(content).hexdigest()}"


@contextmanager
def registry_server() -> Iterator[Registry]:
    """Run one while the block runs."""
    registry = Registry()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            registry.asked.append(self.path.partition("?")[0])
            if self.path.startswith("/token?"):
                wanted = "service=tests&scope=repository%3Alibrary%2Fpython%3Apull"
                right = self.path.endswith(wanted)
                self._answer(200 if right else 400, json.dumps({"token": TOKEN}).encode(), {})
            elif registry.wants_token and not self._may_pull():
                challenge = f'Bearer realm="http://{registry.host}/token",service="tests",'
                challenge += 'scope="repository:library/python:pull"'
                self._answer(401, b"", {"www-authenticate": challenge})
            else:
                self._manifest()

        def _may_pull(self) -> bool:
            shown = self.headers["authorization"] == f"Bearer {TOKEN}"
            return shown and self.path.startswith("/v2/library/python/")

        def _manifest(self) -> None:
            repository, _, tag = self.path.removeprefix("/v2/").partition("/manifests/")
            content = registry.manifests.get((repository, tag))
            if content is None or INDEX not in self.headers["accept"]:
                self._answer(404, b"", {})
                return
            digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
            headers = {
                "content-type": registry.media_type,
                "docker-content-digest": registry.told_digest or digest,
            }
            self._answer(200, content, headers)

        def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in {**headers, "content-length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        registry.host = f"127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield registry
        finally:
            server.shutdown()
            thread.join()
