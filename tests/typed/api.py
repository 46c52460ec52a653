# pyright: strict, reportUnusedExpression=false, reportUnnecessaryTypeIgnoreComment=true
"""What users call, and the type that mypy and pyright must give to it: read by both (`check.py`), never run."""

from typing import assert_type

import attnscope as ats


def attention(model: ats.Model, text: str, texts: list[str], layer: int) -> None:
    """One text and one query: one result. A list of either: a list."""
    a = ats.attention(model, text, layer=-1, head=0, query="castle")
    assert_type(a, ats.Attribution)
    assert_type(a.words, tuple[ats.Word, ...])
    assert_type(a.tokens[0], ats.Token)
    assert_type(ats.attention(model, text), ats.Attribution)
    assert_type(ats.attention(model, text, query=None), ats.Attribution)
    assert_type(ats.attention(model, text, layer=layer, head="mean", query=7), ats.Attribution)
    assert_type(ats.attention(model, text, target=" Tokyo", stack="decoder", unit="token"), ats.Attribution)
    assert_type(ats.attention(model, text, query=["castle", 7]), list[ats.Attribution])
    assert_type(ats.attention(model, text, query=["castle"]), list[ats.Attribution])
    assert_type(ats.attention(model, texts), list[ats.Attribution])
    assert_type(ats.attention(model, texts, query="castle"), list[ats.Attribution])
    assert_type(ats.attention(model, texts, query=[0, 1]), list[list[ats.Attribution]])


def attention_maps(model: ats.Model, text: str, texts: list[str]) -> None:
    m = ats.attention_maps(model, text)
    assert_type(m, ats.AttentionMaps)
    assert_type(ats.attention_maps(model, text, layers=[0], heads=[1], maps=False, top=0), ats.AttentionMaps)
    assert_type(ats.attention_maps(model, texts), list[ats.AttentionMaps])


def explain(model: ats.Model, text: str, texts: list[str], per_token: bool) -> None:
    """An Attribution, or with per_token=True a PerToken; of each text of a list."""
    g = ats.explain(model, text)
    assert_type(g, ats.Attribution)
    assert_type(g.words, tuple[ats.Word, ...])
    assert_type(ats.explain(model, text, method="gradient"), ats.Attribution)
    assert_type(ats.explain(model, text, "deletion", target=" Tokyo", against=" Paris"), ats.Attribution)
    assert_type(ats.explain(model, text, method="integrated_gradients", steps=50), ats.Attribution)
    assert_type(ats.explain(model, text, generate=5, per_token=False), ats.Attribution)
    t = ats.explain(model, text, generate=5, per_token=True)
    assert_type(t, ats.PerToken)
    assert_type(t[0], ats.Attribution)
    assert_type(ats.explain(model, texts), list[ats.Attribution])
    assert_type(ats.explain(model, texts, method="gradient"), list[ats.Attribution])
    assert_type(ats.explain(model, texts, generate=5, per_token=True), list[ats.PerToken])
    assert_type(ats.explain(model, text, method="rollout", query=["castle", 7]), list[ats.Attribution])
    assert_type(ats.explain(model, texts, method="rollout", query=[0, 1]), list[list[ats.Attribution]])
    assert_type(ats.explain(model, text, method=surprise, power=2.0), ats.Attribution)
    assert_type(ats.explain(model, text, per_token=per_token), ats.Attribution | ats.PerToken)


def surprise(task: ats.Task, *, power: float = 1.0) -> ats.Scores:
    """A method of one's own."""
    values, vectors = task.gradient()
    return ats.Scores(tokens=vectors.square().sum(-1) ** (power / 2), values=values)


def studies(model: ats.Model, text: str, g: ats.Attribution) -> None:
    assert_type(ats.agreement([g, ats.explain(model, text, method="gim")]), ats.Agreement)
    assert_type(ats.compare(model, text, text, sample="I loved it.", labels=[" good", " bad"]), ats.Comparison)
    assert_type(ats.evaluate(model, [text], ["gradient"], labels=[" good", " bad"]), ats.Evaluation)
    assert_type(ats.plan(model, "rollout", tokens=8192), ats.Plan)


def files(model: ats.Model, text: str) -> None:
    """Every result can be saved as a picture and as data, and read again."""
    g, t, m = ats.explain(model, text), ats.explain(model, text, per_token=True), ats.attention_maps(model, text)
    ats.save(g, "page.html")
    ats.save(t, "tokens.html")
    ats.save(m, "maps.html")
    g.save("g.json")
    assert_type(ats.Attribution.load("g.json"), ats.Attribution)
    assert_type(ats.PerToken.load("t.json"), ats.PerToken)
    ats.load_result("g.json").save("again.json")
    assert_type(ats.Attribution.of(text, ["castle"], [0.5]), ats.Attribution)
    assert_type(ats.load(), ats.Model)
    assert_type(ats.load("gpt2", dtype="bfloat16"), ats.Model)


def mistakes(model: ats.Model, text: str) -> None:
    """What must be an error to both: were it none, the comment that expects it would be one."""
    ats.attention(model, text).wrods  # type: ignore[attr-defined]
    ats.explain(model, text).wrods  # type: ignore[attr-defined]
    ats.attention_maps(model, text).wrods  # type: ignore[attr-defined]
    ats.attention(model, text, laier=3)  # type: ignore[call-overload]
    ats.attention(model, 7)  # type: ignore[call-overload]
    ats.save(7, "page.html")  # type: ignore[arg-type]


def cite(model: ats.Model, chat: list[dict[str, str]]) -> None:
    """Statements × sources, of passages or of a chat."""
    assert_type(ats.cite(model, "Where?", ["Here.", {"title": "T", "text": "There."}]), ats.Citation)
    assert_type(ats.cite(model, chat, method="surrogate", tolerance=0.5), ats.Citation)
    assert_type(ats.learn_heads(model), ats.HeadWeights)
    assert_type(ats.cite(model, "Where?", ["Here."]).cited(0), list[int])
