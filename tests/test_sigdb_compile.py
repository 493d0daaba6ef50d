# SPDX-License-Identifier: LGPL-2.1-or-later
"""The compiler's automata against the definition of the language, and the arrays' own promises."""

import os
from random import Random

import nfa
import pytest
import reference
import signatures

import sigdb

PAIRS = 100_000 if os.environ.get("FLOWTAP_NIGHTLY") == "1" else 3_000


@pytest.mark.parametrize("references", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_automaton_agrees_with_definition(seed: int, references: bool) -> None:
    random = Random(seed * 2 + references)
    done = matched = 0
    settings = [{}, {"fuzzy": False}, {"fuzz_bytes": 0, "fuzz_percent": 20}, {"threshold_us": 60_000}]
    while done < PAIRS:
        text = signatures.lines(random, 3, references)
        options = random.choice(settings)
        program = sigdb.loads(text, **options)
        judge = {key: value for key, value in options.items() if key != "threshold_us"}
        for signature in program.signatures:
            for _ in range(2):
                packets = signatures.flow(random, signature)
                begin, ended = random.random() < 0.8, random.random() < 0.8
                found = nfa.hits(program, packets, begin, ended)
                for index, other in enumerate(program.signatures):
                    expected = reference.hits(other, packets, begin, ended, threshold=program.threshold, **judge)
                    if program.references[index]:
                        assert set(expected) <= set(found[index]), (other.text, packets, begin, ended, options)
                    else:
                        assert expected == found[index], (other.text, packets, begin, ended, options)
                    done += 1
                    matched += bool(expected)
    assert matched > done // 10, "the flows match too rarely to show anything"
