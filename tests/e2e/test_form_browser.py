"""Sign-in, sweeps list, new-sweep form and compute page in a real Chromium on a live studio."""

from __future__ import annotations

import re
import zipfile
from typing import Any

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SCRIPT = """\
import argparse
from studio.sdk import Run

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float)
parser.add_argument("--batch")
args = parser.parse_args()
run = Run.get_context()
for step in range(3):
    run.log("accuracy", args.lr + step / 10)
"""
PASSWORD = "a-fine-1-phrase"


@pytest.fixture
def code(tmp_path):
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "train.py").write_text(SCRIPT)
    return folder


def fill_form(page: Any, code: Any, name: str = "from the form") -> None:
    """Define a small sweep with one continuous and one listed parameter."""
    page.goto("/sweeps/new/")
    page.fill("#name", name)
    page.fill("#experiment", "browser")
    page.click("text=Folder on the studio's machine")
    page.fill("#source_directory", str(code))
    page.fill("#script", "train.py")
    page.fill("#search_space-0-name", "lr")
    page.select_option("#search_space-0-type", "loguniform")
    page.fill("#search_space-0-min_value", "-6")
    page.fill("#search_space-0-max_value", "-1")
    page.click("#add-row")
    page.fill("#search_space-1-name", "batch")
    page.select_option("#search_space-1-type", "choice")
    entry = page.locator("#search_space-1 .tokens input")
    entry.fill("16")
    entry.press("Enter")
    entry.press_sequentially("32,auto,")
    page.fill("#metric", "accuracy")
    page.fill("#max_total_runs", "2")


def small_spec(name: str, code: Any) -> dict[str, Any]:
    """A specification of two short runs."""
    return {
        "name": name,
        "experiment": "browser",
        "source_directory": str(code),
        "script": "train.py",
        "search_space": {"lr": "uniform(0, 0.5)"},
        "primary_metric": {"name": "accuracy", "goal": "maximize"},
        "max_total_runs": 2,
    }


def test_person_signs_in_by_password_and_lands_on_the_page_asked_for(
    chromium_page, live_studio, expect
):
    live_studio.run_python(
        "import django; django.setup(); from experiments.services import setup; "
        f"u = setup.first_administrator(); u.set_password({PASSWORD!r}); u.save(); print('ok')"
    )
    page = chromium_page
    page.context.clear_cookies()
    page.goto("/compute/")
    expect(page).to_have_url(re.compile("/sign-in/"))
    page.fill("#username", "admin")
    page.fill("#password", PASSWORD)
    page.click("#show")
    expect(page.locator("#password")).to_have_attribute("type", "text")
    page.click("button.primary")
    expect(page).to_have_url(re.compile("/compute/$"))
    expect(page.locator("h1")).to_have_text("Compute")
    expect(page.locator(".slot")).to_have_count(2)


def test_form_shows_distributions_and_starts_a_real_sweep(chromium_page, code, expect):
    page = chromium_page
    fill_form(page, code)

    expect(page.locator("#search_space-0 [data-meaning]")).to_contain_text("every decade")
    expect(page.locator("#search_space-0 .prev polygon")).to_have_count(1)
    expect(page.locator("#search_space-1 .prev rect")).to_have_count(3)
    expect(page.locator("#draw-table tbody tr")).to_have_count(5)
    expect(page.locator("#verdict")).to_contain_text("Ready. 2 runs on local.")
    page.click("#start")
    expect(page).to_have_url(re.compile(r"/sweeps/HD_"), timeout=15000)
    expect(page.locator("h1")).to_contain_text("from the form")

    page.goto("/sweeps/?q=from+the+form")
    row = page.locator("#rows tr").first
    expect(row.locator(".chip")).to_have_text("Completed", timeout=60000)
    expect(row.locator(".metricval")).not_to_be_empty()


def test_problems_appear_where_they_are_and_nothing_typed_is_lost(chromium_page, code, expect):
    page = chromium_page
    fill_form(page, code)
    page.fill("#max_concurrent_runs", "500")
    page.locator("#max_total_runs").focus()

    field = page.locator('[data-field="max_concurrent_runs"]')
    expect(field.locator(".err")).to_contain_text("max_concurrent_runs is 500")
    expect(page.locator('#steps [data-section="s-budget"]')).to_have_class(re.compile("is-bad"))
    page.fill("#search_space-1-name", "lr")
    page.click("#start")
    expect(page.locator("#problem-list li")).to_have_count(2)
    expect(page).to_have_url(re.compile(r"/sweeps/new/(\?draft=.+)?$"))
    expect(page.locator("#search_space-1")).to_contain_text("is listed 2 times")
    expect(page.locator("#search_space-1-values")).to_have_value("16, 32, auto")
    expect(page.locator("#source_directory")).to_have_value(str(code))

    page.fill("#search_space-1-name", "batch")
    page.fill("#max_concurrent_runs", "2")
    expect(page.locator("#verdict")).to_contain_text("Ready.")
    expect(page.locator("#problems")).to_be_hidden()


def test_form_that_is_sent_before_its_first_check_is_answered_says_what_is_wrong(
    chromium_page, expect
):
    page = chromium_page
    held: list[Any] = []
    checks = re.compile(r"/sweeps/new/check/")
    page.route(checks, lambda route: route.continue_() if held else held.append(route))
    page.goto("/sweeps/new/")
    page.click("#start")

    expect(page.locator("#problem-list li").first).to_be_visible()
    assert len(held) == 1


def test_yaml_and_form_follow_each_other(chromium_page, code, expect):
    page = chromium_page
    fill_form(page, code)
    page.click("#tab-yaml")
    yaml = page.locator("#yaml")
    expect(yaml).to_have_value(re.compile(r"lr: loguniform\(-6, -1\)"))
    expect(yaml).to_have_value(re.compile(r"max_total_runs: 2\n"))

    text = yaml.input_value()
    yaml.fill("# my note\n" + text.replace("max_total_runs: 2", "max_total_runs: 7"))
    expect(page.locator("#max_total_runs")).to_have_value("7")
    expect(yaml).to_have_value(re.compile("^# my note"))

    changed = text.replace("loguniform(-6, -1)", "uniform(3, 1)")
    yaml.fill(changed)
    line = changed.split("\n").index("  lr: uniform(3, 1)") + 1
    expect(page.locator("#yaml-errors")).to_contain_text(f"Line {line}:")
    expect(page.locator("#search_space-0-type")).to_have_value("uniform")
    expect(page.locator("#search_space-0 .err")).to_have_count(1)

    yaml.fill(text + "broken: [")
    expect(page.locator("#yaml-errors")).to_contain_text("not YAML")
    page.click("#start")
    expect(page.locator("#toasts")).to_contain_text("The YAML has an error")
    page.click("[data-discard]")
    expect(yaml).to_have_value(re.compile(r"lr: uniform\(3, 1\)|min_value: 3"))


def test_rows_are_added_moved_and_removed(chromium_page, code, expect):
    page = chromium_page
    fill_form(page, code)

    def names() -> list[str]:
        fields = page.locator("#rows [data-key=name]")
        return [field.input_value() for field in fields.all()]

    page.locator("#search_space-1").hover()
    page.locator("#search_space-1 [data-move='-1']").click()
    assert names() == ["batch", "lr"]
    expect(page.locator("#search_space-0-values")).to_have_value("16, 32, auto")

    page.locator("#search_space-0 .grip").drag_to(page.locator("#search_space-1"))
    assert names() == ["lr", "batch"]

    page.locator("#search_space-1 .token button").first.click()
    expect(page.locator("#search_space-1-values")).to_have_value("32, auto")
    page.locator("#search_space-1 .tokens input").press("Backspace")
    expect(page.locator("#search_space-1-values")).to_have_value("32")

    page.locator("#search_space-0 [data-remove]").click()
    assert names() == ["batch"]
    expect(page.locator("#search_space-0-name")).to_be_focused()


def test_form_works_without_scripts(chromium, live_studio, code):
    context = chromium.new_context(base_url=live_studio.url, java_script_enabled=False)
    page = context.new_page()
    page.goto(live_studio.sign_in_link())
    page.goto("/sweeps/new/")
    page.fill("#name", "without scripts")
    page.fill("#experiment", "browser")
    page.click("text=Folder on the studio's machine")
    page.fill("#source_directory", str(code))
    page.fill("#script", "train.py")
    page.fill("#search_space-0-name", "lr")
    page.fill("#search_space-0-min_value", "0")
    page.fill("#search_space-0-max_value", "0.5")
    page.click("#add-row")
    page.fill("#search_space-1-name", "batch")
    page.select_option("#search_space-1-type", "choice")
    page.fill("#search_space-1-values", "16, 32")
    page.fill("#max_total_runs", "0")
    page.fill("#metric", "accuracy")
    page.press("#metric", "Enter")
    assert "max_total_runs is 0" in page.inner_text("#problems")
    assert page.input_value("#search_space-1-values") == "16, 32"

    page.fill("#max_total_runs", "1")
    page.click("#start")
    assert "/sweeps/HD_" in page.url
    context.close()


def test_list_shows_new_sweeps_without_a_reload(chromium_page, live_studio, code, expect):
    page = chromium_page
    page.goto("/sweeps/?q=by+the+api")
    expect(page.locator("#live")).to_have_text("Live")
    page.evaluate("window.notReloaded = true")

    live_studio.api("/sweeps", small_spec("by the api", code))
    row = page.locator("#rows tr", has_text="by the api")
    expect(row).to_have_count(1, timeout=15000)
    expect(row.locator(".chip")).to_have_text("Completed", timeout=60000)
    assert page.evaluate("window.notReloaded")


def test_list_polls_where_sockets_are_blocked(chromium_page, live_studio, code, expect):
    page = chromium_page
    page.route_web_socket(re.compile("/ws/sweeps/"), lambda socket: socket.close())
    page.goto("/sweeps/?q=by+polling")
    expect(page.locator("#live")).to_have_text("Polling", timeout=20000)

    live_studio.api("/sweeps", small_spec("by polling", code))
    expect(page.locator("#rows tr", has_text="by polling")).to_have_count(1, timeout=20000)
    page.click("#live")
    expect(page.locator("#live")).to_have_text("Paused")


def test_filters_stand_in_the_address(chromium_page, expect):
    page = chromium_page
    page.goto("/sweeps/")
    page.click('.filter[data-state="Failed"]')
    expect(page).to_have_url(re.compile(r"state=Failed"))
    expect(page.locator('.filter[data-state="Failed"]')).to_have_attribute("aria-current", "true")
    page.fill("#q", "nothing has this name")
    expect(page).to_have_url(re.compile(r"q=nothing"))
    expect(page.locator("#list")).to_contain_text("No sweep matches")
    page.reload()
    expect(page.locator("#q")).to_have_value("nothing has this name")
    expect(page.locator("#list")).to_contain_text("No sweep matches")


def test_theme_and_shortcuts(chromium_page, expect):
    page = chromium_page
    page.goto("/compute/")
    page.click("#theme")
    page.click("#theme")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.reload()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.keyboard.press("/")
    expect(page.locator(".jump input")).to_be_focused()
    page.keyboard.press("Escape")
    page.locator("h1").click()
    page.keyboard.press("?")
    expect(page.locator("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("s")
    expect(page).to_have_url(re.compile("/sweeps/"))


def test_navigation_unfolds_on_a_phone(chromium_page, expect):
    page = chromium_page
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto("/compute/")

    page.click("#menu")
    expect(page.locator("#mainnav")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#mainnav")).to_be_hidden()
    expect(page.locator("#menu")).to_be_focused()


def test_script_offers_its_arguments_and_metrics(chromium_page, code, expect):
    page = chromium_page
    page.goto("/sweeps/new/")
    page.click("text=Folder on the studio's machine")
    page.fill("#source_directory", str(code))
    page.fill("#script", "train.py")

    page.click("#found-rows [data-found=lr]")

    expect(page.locator("#rows .sprow")).to_have_count(1)
    expect(page.locator("#search_space-0-name")).to_have_value("lr")
    expect(page.locator("#search_space-0-type")).to_have_value("uniform")
    expect(page.locator("#search_space-0 .prev polygon")).to_have_count(1)
    expect(page.locator("#found")).to_be_hidden()
    page.click("#logged-names >> text=accuracy")
    expect(page.locator("#metric")).to_have_value("accuracy")
    page.fill("#search_space-0-name", "rate")
    expect(page.locator("#search_space-0 [data-undeclared]")).to_have_text(
        "The script declares no argument --rate."
    )
    expect(page.locator("#verdict")).not_to_contain_text("problem")
    expect(page.locator("#found-rows [data-found=lr]")).to_have_count(1)


def test_script_in_a_chosen_zip_is_read_without_sending_the_zip(chromium_page, code, expect):
    page = chromium_page
    archive = code.parent / "code.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("src/train.py", SCRIPT)
        file.writestr("large.bin", b"x" * 3_000_000)
    sent = []
    page.on("request", lambda request: sent.append(len(request.post_data_buffer or b"")))
    page.goto("/sweeps/new/")
    page.click("text=Upload a zip")
    page.set_input_files("#upload", str(archive))
    expect(page.locator("#scripts option")).to_have_attribute("value", "src/train.py")
    page.fill("#script", "src/train.py")

    expect(page.locator("#found-rows [data-found=lr]")).to_have_count(1)
    expect(page.locator("#logged-names")).to_contain_text("accuracy")
    assert max(sent) < 20_000


def test_program_is_shown_beside_the_form(chromium_page, code, expect):
    page = chromium_page
    fill_form(page, code)
    page.click("#tab-python")

    expect(page.locator("#python-code")).to_contain_text("RandomParameterSampling")
    expect(page.locator("#python-code")).to_contain_text('"lr": loguniform(-6, -1),')
    expect(page.locator("#copy-view")).to_have_attribute("data-copy-from", "#view-python .code")
