"""Connections are counted, in total and per client."""

from __future__ import annotations

import pytest

from realtime.limits import LimitReached
from server.connection.connection_limits import Admission
from server.protocol.http.addresses import TrustedProxies


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


def test_connection_counts_for_its_client_while_it_serves_one() -> None:
    admission = Admission(10, 1)
    first = admission.enter("192.0.2.1")
    assert first is not None
    moved = first.move("token a")
    assert moved.move("token a") is moved
    assert [admission.count_of(name) for name in ("192.0.2.1", "token a")] == [0, 1]
    second = admission.enter("192.0.2.1")
    assert second is not None
    with pytest.raises(LimitReached, match="expected at most 1 connections of a client, got one more"):
        second.move("token a")
    assert [admission.count_of(name) for name in ("192.0.2.1", "token a")] == [1, 1]
    # It goes back beyond the limit of its address: it is open already.
    home = moved.move_home("192.0.2.1")
    assert [admission.count_of(name) for name in ("192.0.2.1", "token a")] == [2, 0]
    assert admission.enter("192.0.2.1") is None
    home.leave()
    second.leave()
    assert (len(admission), admission.count_of("192.0.2.1")) == (0, 0)


def test_proxies_have_no_share_and_count_in_total() -> None:
    admission = Admission(4, 1, TrustedProxies(["10.0.0.0/8"]))
    names = [admission.home_of(peer) for peer in ("10.0.0.1", "::ffff:10.0.0.2", "10.0.0.1", "10.0.0.1", "10.0.0.1")]
    guests = [admission.enter(name) for name in names]
    assert [guest is not None for guest in guests] == [True, True, True, True, False]
    assert guests[0] is not None
    assert guests[1] is not None
    guests[0].move("192.0.2.1")
    with pytest.raises(LimitReached):
        guests[1].move("192.0.2.1")
    assert admission.count_of("192.0.2.1") == 1


def test_peer_is_counted_by_its_network() -> None:
    admission = Admission(4, 1)
    peers = ("192.0.2.1", "::ffff:192.0.2.1", "2001:db8::1", "")
    assert [admission.home_of(peer) for peer in peers] == ["192.0.2.1", "192.0.2.1", "2001:db8::/64", ""]
