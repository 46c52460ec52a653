"""A citation in Markdown."""

from drawn_results import citation, estimated

from attnscope.render import render


def test_footnotes_name_what_was_cited() -> None:
    document = render(citation(), ".md").decode()
    assert "Aldo built the castle.[^1] It is on a hill.[^2] It rains. *(none of these)*" in document
    assert "[^1]: **1** (13.1 nats): The castle was built by Aldo. He was rich." in document
    assert "[^2]: **2 A title** (7.05 nats): A hill rises here." in document
    assert "[^3]" not in document


def test_other_documents() -> None:
    assert "Aldo built the castle. [1]" in render(estimated(), ".txt").decode()
    rows = render(estimated(), ".csv").decode().splitlines()
    assert rows[0].split(",")[:3] == ["statement", "said", "source"]
    assert len(rows) == 16
