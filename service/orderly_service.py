"""What the fronts of all topologies have in common for BentoML: an end that is orderly."""

import bentoml


class OrderlyService:
    """A front that ends before its models: what a topology's service derives from."""

    @bentoml.on_deployment
    @staticmethod
    def end_in_order() -> None:
        """Have the front end first. Called in the process that supervises all."""
        # Imported late: nobody else has use for it.
        from service.orderly_end import end_front_first  # noqa: PLC0415

        end_front_first()
