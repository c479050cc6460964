"""A folder of a real bucket, for what jobs read from where it lies."""

from dataclasses import dataclass

from obstore.store import S3Store

BUCKET = "inbox"


@dataclass(frozen=True, slots=True)
class Inbox:
    """An empty folder of its own for each test: a bucket takes volumes, of which there are few."""

    store: S3Store
    folder: str

    def uri(self, key: str) -> str:
        return f"s3://{BUCKET}/{self.folder}/{key}"

    def put(self, key: str, content: bytes) -> None:
        self.store.put(f"{self.folder}/{key}", content)

    def read(self, key: str) -> bytes:
        return bytes(self.store.get(f"{self.folder}/{key}").bytes())
