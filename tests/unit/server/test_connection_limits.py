"""Connections are counted, in total and per client."""

from __future__ import annotations

from server.connection.connection_limits import Admission


def test_client_has_no_more_than_its_share() -> None:
    admission = Admission(10, 2)
    first = admission.enter("a")
    assert first is not None
    assert admission.enter("a") is first
    assert admission.enter("a") is None
    assert admission.enter("b") is not None
    first.leave()
    assert admission.enter("a") is not None
    assert len(admission) == 3


def test_all_clients_have_no_more_than_there_are() -> None:
    admission = Admission(2, 2)
    guests = [admission.enter(name) for name in ("a", "b", "c")]
    assert [guest is not None for guest in guests] == [True, True, False]
    assert guests[0] is not None
    guests[0].leave()
    assert admission.enter("c") is not None
    assert len(admission) == 2
