"""Every listed word can be asked; hostile words are text."""

from drawn_results import survey_summary

from attnscope.render import render


def test_words_are_buttons_and_text() -> None:
    page = render(survey_summary(), ".html").decode()
    body = page.split("<script")[0]
    assert body.count('data-word="castle"') == 2
    assert "&lt;/script&gt;" in body
    assert "predicted &lt;good&gt; (5)" in body
    assert "0.25, over 8 texts" in body
    assert "50% of |score|" in body


def test_scores_by_tenth_and_by_part_are_drawn_with_their_quartiles() -> None:
    body = render(survey_summary(), ".html").decode().split("<script")[0]
    assert "gradient: |score| by tenth of the text" in body
    assert "&lt;b&gt;assistant" in body
    assert body.count("0.125 … 0.75") == 9
    assert body.count("0.1 … 0.4") == 2
