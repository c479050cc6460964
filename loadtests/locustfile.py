"""What Locust is given: users, the shape of the load, and options that choose it.

``python -m loadtests`` runs it with a service of its own; for clients on several machines see
README.md.
"""

from locust import events
from locust.argument_parser import LocustArgumentParser
from locust.env import Environment
from locust.runners import WorkerRunner

from loadtests.levels import read_levels
from loadtests.load_shape import PlannedLoad
from loadtests.payloads import make_payloads
from loadtests.shapes import SHAPES, positive
from loadtests.users import Batch, PhotoOverGrpc, PhotoOverHttp, Video

__all__ = ["Batch", "PhotoOverGrpc", "PhotoOverHttp", "PlannedLoad", "Video"]

# Before a worker is known to its master, whose time runs from then on.
make_payloads()


@events.init_command_line_parser.add_listener
def add_options(parser: LocustArgumentParser) -> None:
    """Add ours to Locust's options; a master passes them on to its workers."""
    parser.add_argument("--shape", choices=list(SHAPES), default="steady", help="Of the load.")
    parser.add_argument(
        "--scale", type=positive, default=1.0, help="Stages last so many times as long."
    )
    parser.add_argument("--rate", type=positive, default=read_levels().rate, help="Calls a second.")
    parser.add_argument("--grpc", default="localhost:3001", help="Where gRPC listens.")


@events.test_start.add_listener
def begin(environment: Environment) -> None:
    """Have a worker count from now on, as its master does."""
    if isinstance(environment.runner, WorkerRunner) and environment.shape_class:
        environment.shape_class.reset_time()
