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
    mine = installation.encode()
    # Read first: there are stores that make a bucket for whoever writes into it.
    try:
        found = store.read(MARK)
    except FileNotFoundError as error:
        if earlier is not None:
            raise InvalidRequest(
                f"{place} has none of this database's objects: they were in {earlier}. Set "
                f"RAPT_STORAGE_URL to that, or copy all of them, {MARK} too."
            ) from error
        found = mine if store.write_new(MARK, mine) else store.read(MARK)
    if found != mine:
        raise InvalidRequest(
            f"{place} has the objects of another installation. Set RAPT_STORAGE_URL to another "
            "bucket or prefix, or RAPT_DATABASE_URL to the database that belongs to it."
        )
