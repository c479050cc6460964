"""What the fronts of all topologies have in common for BentoML: an end that is orderly."""

import math

import bentoml

from service.settings import load_settings

# An answer to who is still sending lingers for 3 s after the deadline.
_AFTER_DEADLINE = 5


class OrderlyService:
    """A front that ends before its models, and in time: what a topology's service derives from."""

    @bentoml.on_deployment
    @staticmethod
    def end_in_order() -> None:
        """Have the front end first. Called in the process that supervises all."""
        # Imported late: nobody else has use for it.
        from service.orderly_end import end_front_first  # noqa: PLC0415

        end_front_first(math.ceil(load_settings().deadline_seconds) + _AFTER_DEADLINE)
