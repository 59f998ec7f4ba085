"""Connections are counted, in total and per client."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from realtime.limits import LimitReached
from server.connection.connection_limits import PROXIES, Admission, Guest
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


_MAX_ALL, _MAX_OF_CLIENT = 6, 2
_PEERS = ("192.0.2.1", "192.0.2.2", "2001:db8::1", "10.0.0.1")
_CLIENTS = ("192.0.2.1", "192.0.2.9", "token a", "token b")


@dataclass
class _Open:
    guest: Guest
    home: str


class CountedConnections(RuleBasedStateMachine):
    """Connections that come, serve requests of clients and go, beside a list of what each of them counts for."""

    def __init__(self) -> None:
        """Start without a connection."""
        super().__init__()
        self.admission = Admission(_MAX_ALL, _MAX_OF_CLIENT, TrustedProxies(["10.0.0.0/8"]))
        self.open: list[_Open] = []

    @property
    def counts(self) -> Counter[str]:
        """The number of connections by the name for which they count."""
        return Counter(one.guest.name for one in self.open)

    @rule(peer=st.sampled_from(_PEERS))
    def come(self, peer: str) -> None:
        """Connect."""
        home = self.admission.home_of(peer)
        has_room = home == PROXIES or self.counts[home] < _MAX_OF_CLIENT
        guest = self.admission.enter(home)
        assert (guest is not None) == (has_room and len(self.open) < _MAX_ALL)
        if guest is not None:
            self.open.append(_Open(guest, home))

    @precondition(lambda self: self.open)
    @rule(place=st.integers(0, _MAX_ALL), client=st.sampled_from(_CLIENTS))
    def serve(self, place: int, client: str) -> None:
        """Begin a request of a client."""
        one = self.open[place % len(self.open)]
        if one.guest.name == client or self.counts[client] < _MAX_OF_CLIENT:
            one.guest = one.guest.move(client)
            assert one.guest.name == client
        else:
            with pytest.raises(LimitReached):
                one.guest.move(client)

    @precondition(lambda self: self.open)
    @rule(place=st.integers(0, _MAX_ALL))
    def answer(self, place: int) -> None:
        """Complete a response."""
        one = self.open[place % len(self.open)]
        one.guest = one.guest.move_home(one.home)

    @precondition(lambda self: self.open)
    @rule(place=st.integers(0, _MAX_ALL))
    def leave(self, place: int) -> None:
        """Close the connection."""
        self.open.pop(place % len(self.open)).guest.leave()

    @invariant()
    def counts_are_those_of_the_list(self) -> None:
        """Compare all counts."""
        assert len(self.admission) == len(self.open)
        names = {*_CLIENTS, PROXIES, *map(self.admission.home_of, _PEERS)}
        assert {name: self.admission.count_of(name) for name in names} == {name: self.counts[name] for name in names}


TestCountedConnections = CountedConnections.TestCase
