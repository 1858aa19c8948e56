"""A record is found by the beginning of its words, without case, accents or ligatures."""

from __future__ import annotations

import pytest

from billing.domain.search import MAX_WORD_LENGTH, MAX_WORDS, fold, query_words, words


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Épicerie Dûpont", "epicerie dupont"),
        ("ŒUVRE œuvre", "oeuvre oeuvre"),
        ("ÆGIR Lætitia", "aegir laetitia"),
        ("Straße", "strasse"),
        ("Møller Đorđe Łódź", "moller dorde lodz"),
        ("ﬁnance", "finance"),
        ("e\u0301te\u0301", "ete"),
        ("İstanbul", "istanbul"),
        ("½ ²", "1⁄2 2"),
        ("NOËL", "noel"),
    ],
)
def test_case_accents_and_ligatures_are_folded(text: str, folded: str) -> None:
    assert fold(text) == folded
    assert fold(folded) == folded


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("L'Épicerie du Marché", ("l", "epicerie", "du", "marche")),
        ("L’Oréal", ("l", "oreal")),
        ("Dupont & Fils, SARL", ("dupont", "fils", "sarl")),
        ("jean-marie", ("jean", "marie")),
        ("a_b#c|d", ("a", "b", "c", "d")),
        ("Ελλάς 日本 Москва", ("ελλασ", "日本", "москва")),
        ("Dupont DUPONT dupont", ("dupont",)),
        ("3 Suisses", ("3", "suisses")),
        ("😀 !?", ()),
        ("", ()),
    ],
)
def test_words_are_runs_of_letters_and_digits(text: str, found: tuple[str, ...]) -> None:
    assert words(text) == found


def test_words_are_bounded_in_number_and_length() -> None:
    found = words(" ".join(f"mot{index}" for index in range(100)), "x" * 200)

    assert len(found) == MAX_WORDS
    assert words("x" * 200) == ("x" * MAX_WORD_LENGTH,)


def test_a_query_looks_its_longest_word_up() -> None:
    assert query_words("du Marché Lyon") == ("marche", "lyon", "du")
