# SPDX-License-Identifier: LGPL-2.1-or-later
"""Parts of `flowtap eval` on judged flows: things under other conditions, one kind or another, the picture."""

from collections import Counter

import pytest

from flowtap.eval_either import Answers, answers, either_text, kinds_of
from flowtap.eval_labels import LabelError
from flowtap.eval_plot import MISSED, NOTHING, UNKNOWN, matrix
from flowtap.eval_same import Difference, compare, same_text
from flowtap.eval_score import Judged

ENDS = ("tcp", bytes(16), 1, bytes(16), 22)


def seen(same: str, capture: str, labels: dict[str, int | None], *doubts: str, **hits: int) -> Judged:
    """Return a flow in which ids were found; their dots are underscores here."""
    found = Counter({name.replace("_", "."): count for name, count in hits.items()})
    return Judged(capture, ENDS, labels, 1, found, list(doubts), same=same)


@pytest.mark.parametrize(
    ("flows", "compared", "differences"),
    [
        ([], {}, []),
        ([seen("1", "x", {"a": None}, a=1), seen("1", "y", {"a": None}, a=3)], {"a": 1}, []),  # any number is right
        (
            [seen("1", "x", {"a": 2}, a=2), seen("1", "y", {"a": 2}, a_b=1)],
            {"a": 1, "a.b": 1},
            [
                Difference("1", "a", True, True, {"x": 2, "y": 1}),
                Difference("1", "a.b", False, False, {"x": 0, "y": 1}),
            ],
        ),
        (
            [seen("1", "x", {"b": None}), seen("1", "y", {"b": None}), seen("1", "z", {"b": None}, a=1)],
            {"a": 1, "b": 1},
            [Difference("1", "a", False, False, {"x": 0, "y": 0, "z": 1})],
        ),
        ([seen("1", "x", {}, a=1), seen("1", "y", {}, "gap"), seen("1", "z", {}, a=1)], {"a": 1}, []),
        ([seen("1", "x", {}, a=1), seen("2", "y", {}), seen("", "z", {})], {}, []),
        ([seen("1", "x", {"a": 1}, a=1), seen("1", "y", {"a": 2}, a=2)], {}, []),  # not the same session after all
        ([seen("1", "x", {}, a=1), seen("1", "x", {}), seen("1", "y", {}), seen("1", "y", {}, a=1)], {"a": 1}, []),
    ],
)
def test_what_is_not_found_alike(flows: list[Judged], compared: dict[str, int], differences: list[Difference]) -> None:
    alike = compare(flows)
    assert (dict(alike.compared), alike.differences) == (compared, differences)
    assert sum(alike.differ.values()) == len(differences)


def test_differences_are_told_shortly() -> None:
    flows = [
        seen("1 ssh", "x", {"a": 2}, a=2, b=9),
        seen("1 ssh", "y", {"a": 2}, a=1),
        seen("1 ssh", "z", {"a": 2}, a=2),
    ]
    lines = same_text(compare(flows)).splitlines()
    assert lines[-2:] == [
        "  1 ssh: a (labelled): 2 times in 2; 1 times in y",
        "  1 ssh: b (not labelled): not found in 2; found in x",
    ]


def test_what_cannot_be_compared_is_told() -> None:
    flows = [seen("1", "x", {"a": 1}), seen("1", "y", {"a": 2}), seen("2", "x", {}), seen("2", "y", {}, "gap")]
    alike = compare(flows)
    assert (alike.things, alike.other_labels, alike.alone, alike.abstained) == (0, ["1"], ["2"], 1)


def test_one_kind_or_another() -> None:
    flows = [
        seen("", "x", {"a.b": None}, a_c=1, d=1),  # any id of the kind
        seen("", "x", {"a": None}, b=1),  # the other kind
        seen("", "x", {"a": None}, a=1, b=1),  # both
        seen("", "x", {"a": None, "c": None}, c=1),  # silent
        seen("", "x", {"b": None}, "gap", b=1),
        seen("", "x", {"b": None}, b=2),
        seen("", "x", {"a": None, "b": None}, a=1),  # labelled as both
        seen("", "x", {"c": None}, a=1),  # labelled as neither
    ]
    result = answers(flows, kinds_of("a, b"))
    assert result.kinds == {"a": Answers(4, 0, 3, 1), "b": Answers(2, 1, 1, 1)}
    assert (result.total, result.several) == (Answers(6, 1, 4, 2), 1)
    lines = either_text(result).splitlines()
    assert lines[-2].split()[:5] == ["all", "6", "1", "4", "0.8000"] and lines[-2].endswith("2  0.5000 (0.068-0.932)")
    assert lines[-1] == "left out, labelled as several of these: 1"


@pytest.mark.parametrize("text", ["a", "a,a", "a,", "a,B", "a,a.b"])
def test_kinds_that_are_none(text: str) -> None:
    with pytest.raises(LabelError, match="expected"):
        kinds_of(text)


def test_confusion_matrix() -> None:
    flows = [
        seen("", "x", {"a": None}, a=1, b=1),
        seen("", "x", {"a": None}, a_c=1),  # the label is too general to tell
        seen("", "x", {"a.c": None, "b": None}, a_c=1),
        seen("", "x", {"b": None}, "gap", a=1),
        seen("", "x", {}, b=1),
    ]
    table = matrix(flows)
    assert table.columns == ["a", "a.c", "b", MISSED, UNKNOWN]
    assert dict(zip(table.rows, zip(table.flows, table.right, table.wrong, strict=True), strict=True)) == {
        "a": (2, [1, 1, 0, 0, 0], [0, 0, 1, 0, 0]),
        "a.c": (1, [0, 1, 0, 0, 0], [0, 0, 0, 0, 0]),
        "b": (2, [0, 1, 0, 0, 1], [0, 0, 0, 1, 0]),
        NOTHING: (1, [0, 0, 0, 0, 0], [0, 0, 1, 0, 0]),
    }
