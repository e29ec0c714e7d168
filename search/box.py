"""A rectangle on the globe, and how its sides stand in the index."""

from __future__ import annotations

from dataclasses import dataclass

SIDES = ("west", "south", "east", "north")
_STEPS = 1_000_000  # of a degree: a tenth of a metre


@dataclass(frozen=True)
class Box:
    """Sides in degrees (WGS 84); it does not cross the date line.

    Raises:
        ValueError: a side is off the globe, or west lies east of east, or south north of north.
    """

    west: float
    south: float
    east: float
    north: float

    def __post_init__(self) -> None:
        if not (-180 <= self.west <= self.east <= 180 and -90 <= self.south <= self.north <= 90):
            raise ValueError("a box needs -180 <= west <= east <= 180, -90 <= south <= north <= 90")


def steps(degrees: float) -> int:
    """Return a side as the whole number that the index holds."""
    return round(degrees * _STEPS)


def sides_of(box: Box) -> dict[str, int]:
    return {side: steps(getattr(box, side)) for side in SIDES}


def read_box(text: str) -> Box:
    """Return the box of `west,south,east,north`.

    Raises:
        ValueError: there are not four numbers, or they make no box.
    """
    sides = [float(side) for side in text.split(",")]
    if len(sides) != len(SIDES):
        raise ValueError("a box has four sides")
    return Box(*sides)
