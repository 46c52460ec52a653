"""Generated questions: one passage alone has the answer, and what is learnt from is not what is judged on."""

import pytest

from attnscope.errors import InputError
from attnscope.studies.citation.generated import JUDGED, LEARNT_FROM, World, fact_sets


@pytest.mark.parametrize("world", [JUDGED, LEARNT_FROM])
def test_one_passage_alone_has_the_answer(world: World) -> None:
    sets = fact_sets(40, passages=10, seed=2, world=world)
    for one in sets:
        assert [one["answer"] == passage for passage in one["passages"]].index(True) == one["truth"]
        assert len({passage.split()[-1] for passage in one["passages"]}) in (10, 1), "the word, or 'best'"
        assert len(set(one["passages"])) == 10
    assert len({one["truth"] for one in sets}) > 5
    assert len({one["question"].split()[1] for one in sets}) == 3, "three kinds of fact"
    assert fact_sets(40, passages=10, seed=2, world=world) == sets
    assert fact_sets(40, passages=10, seed=3, world=world) != sets


def test_what_is_learnt_from_and_judged_on_have_nothing_in_common() -> None:
    """No person, no word of an answer, no sentence or question but for the names in it."""
    worlds = (JUDGED, LEARNT_FROM)
    names = [{name for person in world.people for name in person.split()} for world in worlds]
    words = [{word for words in world.words.values() for word in words} for world in worlds]
    facts = [{part for fact in world.facts for part in fact} for world in worlds]
    for one, other in (names, words, facts):
        assert not one & other
    said = [
        {text for one in fact_sets(60, world=world) for text in [*one["passages"], one["question"]]} for world in worlds
    ]
    assert not said[0] & said[1]


def test_every_word_stands_once_in_its_world() -> None:
    for world in (JUDGED, LEARNT_FROM):
        for words in [world.people, *world.words.values()]:
            assert len(set(words)) == len(words) == 20
    with pytest.raises(InputError, match="there are 20 people"):
        fact_sets(1, passages=21)
