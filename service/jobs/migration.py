"""Brings all tables up to date, and does nothing else: for clusters, ahead of everybody."""

from service.jobs.opened import migrated_database
from service.jobs.workflow import migrate_workflows
from service.settings import Settings


def migrate(settings: Settings) -> None:
    """Bring our tables and those of DBOS up to date.

    Fronts and workers do it at their start too, and find nothing left to do then: so their roles
    in the database needn't have the right to.

    Raises:
        InvalidRequest: the database can't be used, or its tables are of a later version.
        StorageFull: there is no room.
        StorageUnavailable: it doesn't answer.
    """
    with migrated_database(settings):
        migrate_workflows(settings.workflows_url)
