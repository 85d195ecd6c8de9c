"""The generator gives seedrandom's published value, and holds at the corners of its key mixing."""

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


def test_a_long_seed_is_smeared_over_the_256_places() -> None:
    key = mix_key("x" * 300)
    assert len(key) == 256
    assert key[43] != ord("x")  # overwritten by the second pass
    assert key[44] == ord("x")


def test_characters_count_as_utf16_units() -> None:
    assert mix_key("\U0001f600") == [0xD83D & 255, 0xDE00 & 255]


def test_an_empty_seed_and_a_lone_surrogate_are_seeds_too() -> None:
    assert mix_key("") == [0]
    assert 0 <= Arc4("").random() < 1
    assert 0 <= Arc4("\ud800").random() < 1
