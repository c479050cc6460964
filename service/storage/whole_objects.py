"""What is done alike with whole objects in a folder and in a bucket: obstore is behind both."""

from obstore.exceptions import AlreadyExistsError
from obstore.store import ObjectStore

from service.storage_errors import storage_errors


class WholeObjects:
    """The part of ``service.storage.objects.ObjectStore`` that reads and writes objects at once."""

    def __init__(self, store: ObjectStore) -> None:
        """Use a store of obstore's."""
        self._store = store

    def write(self, key: str, content: bytes) -> None:
        """Write an object; see the protocol."""
        with storage_errors():
            self._store.put(key, content)

    def write_new(self, key: str, content: bytes) -> bool:
        """Write an object unless one is there; see the protocol."""
        with storage_errors():
            try:
                self._store.put(key, content, mode="create")
            except AlreadyExistsError:
                return False
        return True

    def read(self, key: str) -> bytes:
        """Return an object's content; see the protocol."""
        with storage_errors():
            return bytes(self._store.get(key).bytes())

    def read_range(self, key: str, start: int, length: int) -> bytes:
        """Return a part of an object's content; see the protocol."""
        with storage_errors():
            return bytes(self._store.get_range(key, start=start, length=length))
