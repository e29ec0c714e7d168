"""A sample that anyone can draw again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.rules.sampling import draw, mark_of, population_digest, seed_of

CODES = st.sets(st.text("ABC123", min_size=1, max_size=6), min_size=1, max_size=40)


def test_the_published_way_gives_the_sample() -> None:
    from hashlib import sha256

    codes, seed = [f"JL{n:03d}" for n in range(50)], seed_of("0011", "02 08 17")
    by_hand = sorted(codes, key=lambda c: sha256(f"{seed}\n{c}".encode()).hexdigest())[:5]
    assert [code for code, _ in draw(codes, 5, seed)] == by_hand


@given(CODES, st.data())
def test_order_and_repetition_of_the_codes_change_nothing(
    codes: set[str], data: st.DataObject
) -> None:
    size = data.draw(st.integers(1, len(codes)))
    first = draw(sorted(codes), size, "seed")
    assert draw([*sorted(codes, reverse=True), *codes], size, "seed") == first
    assert len({code for code, _ in first}) == size
    assert all(mark == mark_of("seed", code) for code, mark in first)
    assert (
        draw(codes, 1, "seed")[0] == first[0]
    )  # a smaller sample is the beginning of a larger one
    assert population_digest(codes) == population_digest(sorted(codes, reverse=True))


@pytest.mark.parametrize("size", [0, 3])
def test_a_sample_lies_within_what_it_is_drawn_from(size: int) -> None:
    with pytest.raises(ValueError, match="larger"):
        draw(["A", "B"], size, "seed")
