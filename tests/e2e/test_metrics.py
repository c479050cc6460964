"""Metrics stay small, whatever anybody asks for."""

import httpx

from tests.e2e.servers import Server


def series(server: Server) -> int:
    lines = server.get("/metrics").text.splitlines()
    return sum(not line.startswith("#") for line in lines)


def test_paths_that_somebody_makes_up_leave_no_trace(server: Server, face_jpeg: bytes) -> None:
    assert server.post(face_jpeg).status_code == 200
    assert server.get("/readyz").status_code == 200
    before = series(server)
    with httpx.Client(base_url=server.url) as client:
        for number in range(50):
            assert client.get(f"/made-up-{number}").status_code == 404
    assert series(server) == before
    assert "made-up" not in server.get("/metrics").text
