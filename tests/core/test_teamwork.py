"""Markdown of people, merging two edits, what a queue can expect, how busy slots were."""

from __future__ import annotations

import re

import pytest

from experiments.markdown import render_markdown
from experiments.slot_use import slot_use
from experiments.text_merge import MIDDLE, MINE, THEIRS, merge_texts

# Everything that the renderer may write; anything else came from the text.
TAGS = {
    *("p", "br", "strong", "em", "s", "code", "pre", "a", "ul", "ol", "li", "blockquote", "hr"),
    *("h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td"),
}


def attributes(html: str) -> list[tuple[str, str]]:
    """Return the names and values of all attributes."""
    tags = re.findall(r"<\w+([^>]*)>", html)
    return [pair for tag in tags for pair in re.findall(r'([\w-]+)="([^"]*)"', tag)]


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x](&#106;avascript:alert(1))",
        "[x](data:text/html;base64,PHNjcmlwdD4=)",
        "[x](vbscript:msgbox(1))",
        "[x](//elsewhere.example/)",
        "![x](https://elsewhere.example/pixel.png)",
        "![x](data:image/png;base64,AAAA)",
        '[x](https://a.example "t\\" onclick=alert(1)")',
        "<https://a.example/?<script>>",
        "```html\n<b onclick=alert(1)>\n```",
        "<!-- --><iframe src=https://a.example></iframe>",
        "[a]: javascript:alert(1)\n\n[a]",
        "| <b> |\n|---|\n| [x](javascript:1) |",
    ],
)
def test_nothing_of_a_text_becomes_a_tag_or_a_script(text):
    html = render_markdown(text)

    assert set(re.findall(r"<\s*/?\s*(\w+)", html)) <= TAGS
    for name, value in attributes(html):
        assert name in {"href", "rel", "title", "class", "start", "style"}
        if name == "href":
            assert re.match(r"(https?:|mailto:|/(?!/)|#|[\w.]+$)", value), value
        if name == "style":
            assert re.fullmatch(r"text-align:(left|right|center)", value)


def test_markdown_is_what_people_expect():
    html = render_markdown(
        "# Plan\n- [x] **a**\n- [ ] `b`\n\nsee https://a.example/x?y=1&z=2.\nnext line"
    )

    assert "<h3>Plan</h3>" in html
    assert "<li>☑ <strong>a</strong></li>" in html
    assert "<li>☐ <code>b</code></li>" in html
    assert '<a href="https://a.example/x?y=1&amp;z=2" rel="noopener nofollow noreferrer">' in html
    assert "z=2</a>.<br" in html


def test_a_picture_is_a_link():
    html = render_markdown("![loss](https://a.example/loss.png)")

    assert "<img" not in html
    assert '<a href="https://a.example/loss.png"' in html
    assert ">loss</a>" in html


def test_edits_of_different_lines_are_both_kept():
    merged = merge_texts("a\nb\nc\nd", "A\nb\nc\nd", "a\nb\nc\nd\ne")

    assert (merged.text, merged.conflicts) == ("A\nb\nc\nd\ne", 0)


def test_edits_of_the_same_line_stand_beside_each_other():
    merged = merge_texts("a\nb\nc", "a\nmine\nc", "a\ntheirs\nc")

    assert merged.text.split("\n") == ["a", MINE, "mine", MIDDLE, "theirs", THEIRS, "c"]
    assert merged.conflicts == 1


@pytest.mark.parametrize(
    ("base", "mine", "theirs", "text"),
    [
        ("", "new", "new", "new"),
        ("a\nb", "a", "a\nb", "a"),
        ("a\nb", "a\nb", "", ""),
        ("a\nb\nc", "b\nc", "a\nb", "b"),
    ],
)
def test_what_one_side_did_alone_is_taken_over(base, mine, theirs, text):
    assert merge_texts(base, mine, theirs).text == text


def test_slots_in_use_add_up_to_the_time_of_the_runs():
    use = slot_use([(0, 90), (30, 60), (110, 200), (-50, -10)], start=0, end=120, pieces=4)

    assert use.busy == [1.0, 2.0, 1.0, pytest.approx(1 / 3, abs=1e-6)]
    assert use.slot_seconds == pytest.approx(90 + 30 + 10, abs=1e-3)
    assert slot_use([], start=0, end=10, pieces=2).busy == [0, 0]
