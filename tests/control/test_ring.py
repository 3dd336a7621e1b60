"""The ring of a note decoder's instruments: a short way round."""

import math
import random

from oscsynth.control.plane import legend, plane_of
from oscsynth.control.ring import ring

from .catalogue import INSTRUMENTS, play_notes, player


def length(way, means):
    return sum(math.dist(means[one], means[other]) for one, other in zip(way, [*way[1:], *way[:1]], strict=True))


def test_what_lies_in_a_circle_stays_in_it_however_it_is_given():
    places = {f"at {step}": (math.cos(step), math.sin(step)) for step in range(6)}
    names = list(places)
    random.Random(440).shuffle(names)
    way = ring({name: places[name] for name in names})
    assert sorted(way) == sorted(places)
    assert math.isclose(length(way, places), length(list(places), places))


def test_no_turn_of_a_stretch_makes_it_shorter():
    chance = random.Random(440)
    for n in (1, 2, 3, 4, 12, 32):
        means = {str(name): [chance.gauss(0, 1) for _ in range(16)] for name in range(n)}
        way = ring(means)
        assert sorted(way) == sorted(means)
        for first in range(n):
            for last in range(first + 2, n + 1):
                other = [*way[:first], *way[first:last][::-1], *way[last:]]
                assert length(way, means) <= length(other, means) + 1e-6


def test_the_page_is_told_the_numbers_of_the_instruments():
    instrument, _ = player()
    assert legend(instrument.parts[1])["ring"] == []
    play_notes(instrument)
    assert sorted(legend(instrument.parts[1])["ring"]) == list(range(1, len(INSTRUMENTS) + 1))
    assert plane_of(instrument.parts[1]) is None, "no map to wait for"
