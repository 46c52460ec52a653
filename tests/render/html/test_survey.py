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
