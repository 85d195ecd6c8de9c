"""Strangers' text is shown, and never obeyed."""

import json
import unicodedata

import pytest

from actors.core.printable import printable, spreadsheet_text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, ünïcode 日本 🚀 👩‍🚀", "plain, ünïcode 日本 🚀 👩‍🚀"),
        ("\x1b]0;owned\x07", r"\x1b]0;owned\x07"),
        ("\x9b31m", r"\u009b31m"),
        ("a\u202eb\u2066c\u2028", r"a\u202eb\u2066c\u2028"),
        ("\x7f\r\b", r"\u007f\x0d\x08"),
        ("\ud800", r"\ud800"),
        ("a\tb\nc", r"a\x09b\x0ac"),
    ],
)
def test_control_characters_become_escapes(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_lines_keep_their_ends_and_tabs_only() -> None:
    assert printable("a\tb\nc\rd\x1b", lines=True) == "a\tb\nc\\x0dd\\x1b"


def test_no_control_character_of_unicode_gets_through() -> None:
    every = [chr(code) for code in range(0x11000)]
    through = {one for one in every if printable(one) == one}
    controls = {one for one in every if unicodedata.category(one) in ("Cc", "Cs", "Zl", "Zp")}
    turning = {
        one
        for one in every
        if unicodedata.bidirectional(one) in ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")
    }
    assert not through & (controls | turning)


def test_json_stays_json_with_the_same_value() -> None:
    value = {"name": "\x1b[31m\x7f\x9b\u202e\u2028x"}
    assert json.loads(printable(json.dumps(value, ensure_ascii=False))) == value


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+1",
        "-1",
        "@x",
        "\tx",
        "\rx",
        "\n=1",
        "\uff1d1+1",
        "\uff0b1",
        "\uff0d1",
        "\uff20x",
        '=HYPERLINK("http://evil.example")',
    ],
)
def test_a_spreadsheet_does_not_run_a_text(text: str) -> None:
    assert spreadsheet_text(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "a=1", "1-1", "'=1"])
def test_other_texts_stay(text: str) -> None:
    assert spreadsheet_text(text) == text
