// New sweep: checks while one types, shows what will be sent, submits without losing anything.
import { postForm } from "../lib/api.js";
import { $ } from "../lib/dom.js";
import { toast } from "../lib/shell.js";
import { followBudget, mountBudget } from "../form/budget_sliders.js";
import { mountCheckRun, noteChange, sentForm } from "../form/check_run.js";
import { endDraft, mountDraft, saveSoon } from "../form/draft.js";
import { mountDraws } from "../form/draws.js";
import { refreshPreviews } from "../form/previews.js";
import {
  focusFirst, holderOf, showAdvice, showProblems, showSections, showSummary, showVerdict,
} from "../form/problems.js";
import { mountOpenYaml } from "../form/open_yaml.js";
import { mountFixes, showFixes } from "../form/quick_fixes.js";
import { mountReplay, refreshReplay } from "../form/replay.js";
import { mountRealValues } from "../form/real_values.js";
import { mountRowFixes } from "../form/row_fixes.js";
import { addRow, mountRows } from "../form/rows.js";
import { mountScript, refreshScript, zippedScripts } from "../form/script.js";
import { watchPointer, whenReleased } from "../form/settle.js";
import {
  fillForm, followForm, hasOwnYaml, hasYamlErrors, mountSidePanel, showSpec,
} from "../form/side_panel.js";
import { mountWarmStart, showOffers } from "../form/warm_start.js";
import { mountWorkspace } from "../form/workspace.js";

const CHECK_MS = 350;
// Pictures follow the typing more closely than problems do.
const PREVIEW_MS = 120;
const form = $("#form");
// A field shows its problems once it was left; after a refused submission all do.
const left = new Set();
let showAll = !$("#problems").hidden;
let last = null;
// Whether something was typed since the last reply: its problems may be gone already.
let isStale = false;
// The time limit of a check is looked at by the check alone: what it said stays until it is changed.
let refusedLimit = { text: "", problems: [] };
let timer = 0;
let previewTimer = 0;
let asking = null;

const isVisible = (holder) => showAll || holder === "" || left.has(holder);

/** The form as it would be sent, without the zip itself: checking must not upload it. */
function formData() {
  const data = new FormData(form);
  const file = data.get("upload");
  data.delete("upload");
  if (file?.name) data.set("upload_name", file.name);
  return data;
}

/** The form as a draft keeps it: YAML only while it cannot be taken over. */
function draftData() {
  const data = formData();
  if (hasOwnYaml()) data.set("yaml_edited", "1");
  else data.delete("yaml");
  return data;
}

function draw() {
  const reply = last;
  showProblems(form, reply.problems, isVisible);
  showSections(form, reply.problems, isVisible);
  showVerdict(reply.problems, isVisible, reply.ready);
  if (showAll) showSummary(reply.problems);
  showAdvice(reply);
  showOffers(reply.offers);
  showFixes(reply.fixes);
  showSpec({ ...reply, scripts: zippedScripts(form) ?? reply.scripts });
}

function show(reply) {
  const isSame = refusedLimit.text === $("#check_seconds").value;
  const kept = isSame ? refusedLimit.problems.filter((one) => !reply.problems.includes(one)) : [];
  last = { ...reply, problems: [...reply.problems, ...kept] };
  whenReleased("problems", draw);
}

async function check() {
  asking?.abort();
  asking = new AbortController();
  const data = formData();
  noteChange(data);
  refreshPreviews(form, data);
  refreshScript(form, data);
  refreshReplay(form, data);
  try {
    const reply = await postForm(form.dataset.check, data, { signal: asking.signal });
    isStale = false;
    show(reply);
  } catch (error) {
    if (error.name !== "AbortError") toast(error.message);
  }
}

function checkSoon() {
  isStale = true;
  followBudget();
  followForm();
  saveSoon();
  clearTimeout(timer);
  clearTimeout(previewTimer);
  timer = setTimeout(check, CHECK_MS);
  previewTimer = setTimeout(() => refreshPreviews(form, formData()), PREVIEW_MS);
}

function refuse(problems) {
  showAll = true;
  // An answer about the form before would take the problems away again.
  clearTimeout(timer);
  asking?.abort();
  refusedLimit = {
    text: $("#check_seconds").value,
    problems: problems.filter(({ field }) => field === "check_seconds"),
  };
  // Sent before the first answer came: everything is asked for anew, with all problems to see.
  if (last) show({ ...last, problems });
  else check();
  focusFirst(problems);
}

function hasWrongYaml() {
  if (!hasYamlErrors()) return false;
  $("#tab-yaml").click();
  toast("The YAML has an error. Correct it first.");
  return true;
}

async function submit() {
  if (hasWrongYaml()) return;
  const button = $("#start");
  button.disabled = true;
  try {
    const { url, problems } = await postForm(location.pathname, sentForm(form, "create"));
    if (url) {
      endDraft();
      location.assign(url);
      return;
    }
    refuse(problems);
  } catch (error) {
    toast(error.message);
  }
  button.disabled = false;
}

function markLeft(event) {
  const holder = event.target.closest("[data-field]");
  if (!holder || left.has(holder.dataset.field)) return;
  left.add(holder.dataset.field);
  if (last && !isStale) show(last);
}

form.addEventListener("input", checkSoon);
form.addEventListener("change", checkSoon);
form.addEventListener("focusout", (event) => {
  // Moving within a row does not leave it.
  const holder = event.target.closest("[data-field]");
  if (event.target.id !== "yaml" && !holder?.contains(event.relatedTarget)) markLeft(event);
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (event.submitter?.value !== "check_run") submit();
  else if (!hasWrongYaml()) checkRun.start();
});
form.addEventListener("click", (event) => {
  const link = event.target.closest('a[href^="#"]');
  const target = link && document.getElementById(link.hash.slice(1));
  if (!target || link.closest("#steps")) return;
  event.preventDefault();
  focusFirst([{ field: target.id }]);
});

const checkRun = mountCheckRun(form, { readForm: formData, refuse, onMetric: checkSoon });
watchPointer();
mountBudget(form);
mountDraft(form, draftData);
mountFixes(form);
mountOpenYaml();
mountReplay(form, checkSoon);
mountRows(checkSoon);
mountRowFixes(checkSoon);
mountRealValues();
mountDraws(() => refreshPreviews(form, formData()));
mountWorkspace(form);
mountScript({ addRow: (values) => addRow(values, checkSoon), onChange: checkSoon });
mountWarmStart((field) => {
  left.add(field);
  checkSoon();
});
mountSidePanel(form, {
  onFilled(reply) {
    fillForm(form, reply.fields, checkSoon);
    followBudget();
    reply.problems.forEach(({ field }) => left.add(holderOf(field)));
    show(reply);
    refreshPreviews(form, formData());
    refreshScript(form, formData());
    refreshReplay(form, formData());
  },
  onDiscard: check,
});

const sections = new IntersectionObserver((entries) => {
  for (const entry of entries.filter(({ isIntersecting }) => isIntersecting)) {
    for (const link of $("#steps").children) {
      if (link.dataset.section === entry.target.id) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
  }
}, { rootMargin: "-20% 0px -70% 0px" });
form.querySelectorAll(".formsec").forEach((section) => sections.observe(section));

check();
