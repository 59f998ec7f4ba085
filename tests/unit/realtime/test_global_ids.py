"""Global ids: unique over kinds and boards, short, and read back to the id of the wire."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.global_ids import GlobalId, Kind, global_id, parse_global_id, tag_of, wire_id

_IDS = st.text(min_size=1, max_size=200)


@given(kind=st.sampled_from(Kind), home=_IDS, id=_IDS)
def test_id_is_twelve_characters_longer_and_leads_back(kind: Kind, home: str, id: str) -> None:
    made = global_id(kind, home, id)
    assert len(made.encode(errors="surrogatepass")) == len(id.encode(errors="surrogatepass")) + 12
    assert parse_global_id(made) == GlobalId(kind, tag_of(home), id)
    assert wire_id(made, kind, home=home) == id


def test_ids_of_things_with_one_id_of_the_wire_differ() -> None:
    made = {global_id(kind, home, "x") for kind, home in product(Kind, ("p1", "p2"))}
    assert len(made) == 2 * len(Kind)


def test_ids_stay_the_same_in_every_version() -> None:
    # Clients may have stored them, and migration 0023 has the same hash.
    assert global_id(Kind.CARD, "p1", "k1") == "C2-kNhZEzt-ik1"


@pytest.mark.parametrize(
    "named",
    [
        "k1",
        "",
        "C",
        "Cshort",
        "C" + tag_of("p1"),
        global_id(Kind.CARD, "p2", "k1"),
        global_id(Kind.COLUMN, "p1", "k1"),
        "X" + global_id(Kind.CARD, "p1", "k1")[1:],
    ],
    ids=["wire", "empty", "letter", "short", "nothing behind", "other board", "other kind", "unknown kind"],
)
def test_text_that_is_no_id_of_the_thing_stays_as_it_is(named: str) -> None:
    assert wire_id(named, Kind.CARD, home="p1") == named


def test_board_is_named_by_itself_or_by_its_project() -> None:
    for kind in (Kind.BOARD, Kind.PROJECT):
        assert wire_id(global_id(kind, "p1", "p1"), Kind.BOARD, Kind.PROJECT) == "p1"
        forged = f"{kind}{tag_of('p1')}p2"
        assert wire_id(forged, Kind.BOARD, Kind.PROJECT) == forged
