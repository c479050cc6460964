"""When users call. Locust patches a whole process at its import, so another one imports it."""

import json
import subprocess
import sys
from itertools import pairwise

import pytest

# Each row is a user's turns, while its calls take that long; its clock goes on by sleeping alone.
_TURNS = """
import json, sys
from types import SimpleNamespace
from locust.env import Environment
from loadtests import users

clock = SimpleNamespace(now=0.0)
users.time = SimpleNamespace(
    perf_counter=lambda: clock.now, sleep=lambda seconds: setattr(clock, "now", clock.now + seconds)
)
turns = []
for _ in range(20):
    clock.now = 0.0
    user = users.PhotoOverHttp(Environment(host="http://rapt.test"))
    user.on_start()
    turns.append([])
    for _ in range(3):
        turns[-1].append(clock.now)
        users.time.sleep(float(sys.argv[1]))
        users.time.sleep(user.wait_time())
print(json.dumps(turns))
"""


def turns_of_twenty(call_seconds: float) -> list[list[float]]:
    command = [sys.executable, "-c", _TURNS, str(call_seconds)]
    done = subprocess.run(command, capture_output=True, check=True, timeout=60)  # noqa: S603  # our own words
    turns: list[list[float]] = json.loads(done.stdout)
    return turns


def test_users_who_start_at_once_call_apart_and_stay_so() -> None:
    turns = turns_of_twenty(0.5)
    first = sorted(user[0] for user in turns)
    assert all(0.04 < later - sooner < 0.2 for sooner, later in pairwise([*first, 2.0]))
    for user in turns:
        assert user == pytest.approx([user[0], user[0] + 2, user[0] + 4])


def test_who_waited_longer_than_a_turn_calls_again_at_once() -> None:
    for user in turns_of_twenty(3.0):
        assert user == pytest.approx([user[0], user[0] + 3, user[0] + 6])
