"""Generated questions: one passage alone has the answer."""

from attnscope.studies.citation.generated import fact_sets


def test_one_passage_alone_has_the_answer() -> None:
    sets = fact_sets(40, passages=10, seed=2)
    for one in sets:
        holds = [one["answer"] in passage for passage in one["passages"]]
        assert holds.index(True) == one["truth"]
        assert sum(holds) == 1
        assert one["short"] in one["passages"][one["truth"]]
        assert len(set(one["passages"])) == 10
    assert len({one["truth"] for one in sets}) > 5
    assert fact_sets(40, passages=10, seed=2) == sets
