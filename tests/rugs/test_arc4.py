"""The generator gives seedrandom's published value, and holds at the corners of its key mixing."""

import math

import pytest

from actors.rugs.arc4 import Arc4, mix_key


def test_the_published_check_value_comes_out() -> None:
    assert Arc4("hello.").random() == 0.9282578795792454


def test_the_second_published_value_follows() -> None:
    generator = Arc4("hello.")
    generator.random()
    assert generator.random() == 0.3752569768646784


def test_equal_seeds_give_equal_streams_and_other_seeds_others() -> None:
    def stream(seed: str) -> list[float]:
        generator = Arc4(seed)
        return [generator.random() for _ in range(1000)]

    assert stream("a") == stream("a")
    assert stream("a") != stream("b")


def test_every_value_lies_in_the_half_open_unit_interval() -> None:
    generator = Arc4("interval")
    values = [generator.random() for _ in range(5000)]
    assert all(0 <= value < 1 for value in values)
    assert sum(values) / len(values) == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize(
    ("seed", "expected"),
    [
        ("x" * 300, [0.952495823023581, 0.9378530102966817, 0.8504259399717166]),
        ("abc" * 200, [0.30100471025714837, 0.10494781577997661, 0.08843900321747622]),
        ("\U0001f600", [0.5698095144192531, 0.45805574850196806, 0.17473261922316155]),
        ("\ud800", [0.23144008215179881, 0.27404636548159655, 0.7901279251811976]),
        ("", [0.23144008215179881, 0.27404636548159655, 0.7901279251811976]),
    ],
)
def test_odd_seeds_give_what_seedrandom_gives(seed: str, expected: list[float]) -> None:
    """The values were printed by seedrandom 3.0.5 under Node 20."""
    generator = Arc4(seed)
    assert [generator.random() for _ in expected] == expected


def test_a_long_seed_is_smeared_over_the_256_places() -> None:
    key = mix_key("x" * 300)
    assert len(key) == 256
    assert key[0] != ord("x")  # mixed a second time
    assert key[44:] == [ord("x")] * 212


def test_200000_draws_agree_with_seedrandom() -> None:
    generator = Arc4("long")
    digest = 0.0
    for _ in range(200_000):
        digest = math.fmod(digest * 31 + generator.random() * 1e6, 1e9)
    assert digest == 792467414.34832


def test_characters_count_as_utf16_units() -> None:
    assert mix_key("\U0001f600") == [0xD83D & 255, 0xDE00 & 255]


def test_an_empty_seed_has_the_key_zero() -> None:
    assert mix_key("") == [0]
