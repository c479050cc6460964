"""Whose objects they are: a mark among them names the installation, as its rows do.

Were one bucket used with two databases, each would erase what the other keeps.
"""

from emotion.errors import InvalidRequest
from service.storage.objects import ObjectStore

MARK = "installation"


def take_for(installation: str, store: ObjectStore, place: str, earlier: str | None) -> None:
    """Mark a store's objects as an installation's, if nobody's mark is there.

    Args:
        installation: its id, which is in its database.
        store: of the objects.
        place: the store's, for people.
        earlier: where the installation's objects were before; None before there were any. A mark
            has to be there then: who moves the objects moves it with them.

    Raises:
        InvalidRequest: they are another's, or the installation's are somewhere else.
        StorageFull: there is no room for the mark.
        StorageUnavailable: it can't be read or written.
    """
    # Read first: there are stores that make a bucket for whoever writes into it.
    if not is_marked_for(installation, store, place, earlier) and not store.write_new(
        MARK, installation.encode()
    ):
        # Somebody was faster.
        is_marked_for(installation, store, place, earlier)


def is_marked_for(
    installation: str | None, store: ObjectStore, place: str, earlier: str | None
) -> bool:
    """Return whether a store's objects are marked as an installation's, and not nobody's.

    Args:
        installation: its id; None if its database has none yet.
        store: of the objects.
        place: see ``take_for``.
        earlier: likewise.

    Raises:
        InvalidRequest: see ``take_for``.
        StorageUnavailable: likewise.
    """
    try:
        found = store.read(MARK)
    except FileNotFoundError as error:
        if earlier is not None:
            raise InvalidRequest(
                f"{place} has none of this database's objects: they were in {earlier}. Set "
                f"RAPT_STORAGE_URL to that, or copy all of them, {MARK} too."
            ) from error
        return False
    if installation is None or found != installation.encode():
        raise InvalidRequest(
            f"{place} has the objects of another installation. Set RAPT_STORAGE_URL to another "
            "bucket or prefix, or RAPT_DATABASE_URL to the database that belongs to it."
        )
    return True
