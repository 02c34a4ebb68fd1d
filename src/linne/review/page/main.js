// The page: what is shown, what keys and buttons do, and how it keeps up with what others decide.

import { actInWords, anyOpen, open, pickClass, pickWholesale, showHistory } from "./dialogs.js";
import { Grid } from "./grid.js";
import { get, onGone, Refused, send, unsavedDecisions } from "./server.js";
import { draw, drawNothing } from "./stage.js";

const POLL = 1500, FILTERS = ["text", "label", "suggestion", "state", "test", "sort"];
const at = (id) => document.getElementById(id);
const note = { text: "" }, own = new Map();
let facts = null, check = "", shown = null, chosen = 0, listing = 0, selecting = 0;

const grid = new Grid(at("grid"), at("space"), (place) => select(place), () => list());

// ---- what is shown

function filter() {
  return { check, ...Object.fromEntries(FILTERS.map((name) => [name, at(name).value])) };
}

async function list(near = shown && shown.case) {
  const mine = ++listing, wanted = filter();
  const answer = await get("lists", near === null ? wanted : { ...wanted, near });
  if (mine !== listing) return;
  if (answer.edition !== facts.edition) return outdated();
  remember(near);
  grid.show(answer, answer.at);
  at("count").textContent = `${answer.total.toLocaleString()} shown`;
  await select(grid.at);
}

async function select(place) {
  grid.move(place);
  const mine = ++selecting;
  if (!grid.total) {
    shown = null;
    return drawNothing(at("stage"), facts.total ? "Nothing in this list." : "The audit found nothing.");
  }
  const brief = await grid.need(grid.at);
  if (!brief || mine !== selecting) return;
  const whole = await get("cases/" + brief.case);
  if (mine !== selecting) return;
  if (!shown || shown.case !== whole.case) chosen = Math.max(0, whole.images.findIndex((image) => !image.answer));
  take(whole);
  remember(whole.case);
  prefetch();
}

function take(whole) {
  shown = whole;
  stage();
}

function stage() {
  if (!shown) return;
  draw(at("stage"), shown, {
    edition: facts.edition, chosen, note, doing: doing(),
    choose: (place) => { chosen = place; stage(); },
    look,
  });
}

function remember(number) {
  const kept = new URLSearchParams(Object.entries(filter()).filter(([, value]) => value));
  if (number !== null && number !== undefined) kept.set("case", number);
  history.replaceState(null, "", "#" + kept);
}

function prefetch() {
  for (const place of [grid.at + 1, grid.at + 2]) {
    const next = place < grid.total && grid.caseAt(place);
    if (next && next.kind === "image" && next.images[0].row >= 0) new Image().src = `pictures/${next.images[0].row}?${facts.edition}`;
  }
}

function standing(value) {
  facts = { ...facts, ...value };
  const decided = facts.total - facts.open;
  at("bar").max = facts.total || 1;
  at("bar").value = decided;
  at("progress").textContent = `${decided.toLocaleString()} of ${facts.total.toLocaleString()} decided`;
  for (const turn of ["undo", "redo"]) {
    at(turn).disabled = !facts[turn];
    at(turn).title = facts[turn] ? `${turn === "undo" ? "Undo" : "Redo"}: ${actInWords(facts[turn])}` : "";
  }
  const buttons = [{ check: "", total: facts.total, open: facts.open }, ...facts.checks].map((one) => {
    const button = document.createElement("button"), count = document.createElement("span");
    button.type = "button";
    button.setAttribute("aria-pressed", one.check === check);
    button.title = `${one.open} of ${one.total} open`;
    count.textContent = one.open.toLocaleString();
    button.append(one.check || "all", count);
    button.addEventListener("click", () => { check = one.check; standing({}); list(); at("grid").focus(); });
    return button;
  });
  at("checks").replaceChildren(...buttons);
}

// ---- decisions

function doing() {
  const { kind, suggestion, images } = shown, inIndex = kind === "class" || images.some((image) => image.row >= 0);
  const merge = { id: "merge", key: "M", text: "Merge class…", run: () => merging() };
  const keep = { id: "keep", key: "⏎", text: "Keep", run: () => keeping() };
  if (!inIndex) return [keep];
  if (kind === "class") {
    const follow = suggestion && { id: "follow", key: "S", text: `Merge into ${suggestion}`, run: () => follow_(), first: true };
    return [follow, keep, shown.label && merge].filter(Boolean);
  }
  const relabel = { id: "relabel", key: "R", text: "Relabel…", run: () => relabelling() };
  const drop = { id: "drop", key: "D", text: "Drop", run: () => dropping() };
  if (kind === "copies") {
    const only = { id: "only", key: "O", text: `Keep only ${chosen + 1}`, run: () => onlyThis(), first: true };
    return [only, { ...keep, text: "Keep all" }, { ...drop, text: `Drop ${chosen + 1}` }, { ...relabel, text: `Relabel ${chosen + 1}…` }];
  }
  const follow = suggestion && { id: "follow", key: "S", text: `It is ${suggestion}`, run: () => follow_(), first: true };
  return [follow, keep, relabel, drop, merge].filter(Boolean);
}

const one = (action, more = {}) => ({ action, image: chosen, test: shown.images[chosen].test, ...more });

function keeping() {
  if (shown.kind === "class") return decide([{ action: "keep" }]);
  return decide(shown.images.map((image, place) => ({ action: "keep", image: place, test: image.test })));
}

function dropping() {
  if (shown.kind !== "class" && shown.images[chosen].row >= 0) decide([one("drop")]);
}

function onlyThis() {
  if (shown.kind !== "copies") return;
  decide(shown.images.map((image, place) => ({ action: place === chosen ? "keep" : "drop", image: place })));
}

function follow_() {
  if (!shown.suggestion) return say("Nothing is suggested here.");
  if (shown.kind === "class") decide([{ action: "merge", label: shown.label, to: shown.suggestion }]);
  else if (shown.kind === "image") decide([one("relabel", { to: shown.suggestion })]);
}

async function relabelling() {
  if (shown.kind === "class" || shown.images[chosen].row < 0) return;
  const about = shown, place = chosen, image = shown.images[place];
  const to = await pickClass(`${image.label} is really…`, facts.classes, shown.suggestion ? [shown.suggestion] : [], true);
  if (to !== null && shown === about) decide([{ action: "relabel", image: place, to, test: image.test }]);
}

async function merging() {
  const about = shown, label = shown.label;
  if (!label) return;
  const others = facts.classes.filter((name) => name !== label);
  const to = await pickClass(`Merge all of ${label} into…`, others, shown.suggestion ? [shown.suggestion] : [], true);
  if (to !== null && shown === about) decide([{ action: "merge", label, to }]);
}

async function decide(answers) {
  const about = shown, place = grid.at;
  const body = { edition: facts.edition, case: about.case, why: note.text, answers };
  note.text = "";
  grid.saving.add(about.case);
  grid.fill(place);
  const whole = answers.length === about.images.length || about.kind !== "copies";
  if (whole && place + 1 < grid.total) select(place + 1);
  else if (!whole) stage();
  try {
    const answer = await send("decide", () => ({ ...body, seen: seen(about) }), (value) => {
      for (const image of value.shown.images) own.set(image.path, value.version);
      settle(value);
    });
    grid.saving.delete(about.case);
    grid.put(place, { ...answer.shown, images: answer.shown.images.slice(0, 4) });
    if (shown && shown.case === about.case) {
      take(answer.shown);
      if (!whole && answer.shown.decided && grid.at === place && place + 1 < grid.total) select(place + 1);
      else if (!whole) { chosen = Math.max(0, shown.images.findIndex((image) => !image.answer)); stage(); }
    }
    const left = answer.test_left ? `. ${answer.test_left} test image${answer.test_left > 1 ? "s" : ""} left as it is: decide on each alone` : "";
    say((answer.undo && answer.act ? actInWords(answer.undo) : "Nothing changed") + left);
    if (answer.test_left) select(place);
  } catch (error) {
    grid.saving.delete(about.case);
    refused(error);
    grid.renew();
    select(place);
  }
}

// What this tab decided itself it has seen, even if the case was drawn before.
function seen(about) {
  return Math.max(about.version, ...about.images.map((image) => own.get(image.path) || 0));
}

// The answer tells what stands now; other cases may show the same image.
function settle(answer) {
  standing(answer);
  clearTimeout(settle.soon);
  settle.soon = setTimeout(() => grid.renew(), 250);
}

async function wholesale() {
  const { open: many } = await get("lists", filter());  // what is open now, not when the list was made
  if (!many) return say("Nothing is open in this list.");
  const how = await pickWholesale(many);
  if (how === null) return;
  try {
    const body = { edition: facts.edition, filter: filter(), how, why: note.text };
    note.text = "";
    const answer = await send("decide-all", () => body, settle);
    const left = [[answer.test_left, "with test images"], [answer.others_left, "that this does not fit"]].filter(([count]) => count);
    say(`${answer.images.toLocaleString()} decided` + left.map(([count, what]) => `; ${count.toLocaleString()} ${what} left`).join(""));
    select(grid.at);
  } catch (error) {
    refused(error);
  }
}

async function turn(kind) {
  let act = null;
  const body = () => {
    act = facts[kind];
    return act && { edition: facts.edition, turn: kind, act: act.act };
  };
  try {
    await send("turn", body, settle);
    if (!act) return say(`Nothing to ${kind}.`);
    say(`${kind === "undo" ? "Undone" : "Done again"}: ${actInWords(act)}`);
    await goTo(act);
  } catch (error) {
    refused(error);
    keepUp();
  }
}

// Back to where the act was done, if that is in the list.
async function goTo(act) {
  const near = [...grid.windows].flatMap(([number, { cases }]) => (cases || []).map((brief, i) => [number * 60 + i, brief]))
    .find(([, brief]) => brief.images.some((image) => image.path === act.subject) || (!brief.images.length && brief.label === act.subject));
  await select(near ? near[0] : grid.at);
}

// ---- others, and the server

async function keepUp() {
  const { version, edition } = await get("version");
  if (edition !== facts.edition) return outdated();
  if (version === facts.version || unsavedDecisions()) return;
  standing(await get("state"));
  grid.renew();
  if (shown) {
    const whole = await get("cases/" + shown.case);
    if (shown && shown.case === whole.case) take(whole);
  }
}

function outdated() {
  at("gone").textContent = "The audit was made anew. Load the page again to see its findings.";
  at("gone").hidden = false;
}

onGone((lost, unsaved) => {
  at("gone").hidden = !lost;
  const what = unsaved ? ` ${unsaved} decision${unsaved > 1 ? "s are" : " is"} not saved yet; leave this page open.` : " All decisions are saved.";
  at("gone").textContent = `The server does not answer.${what} Start linne review again: this page goes on by itself.`;
});

addEventListener("beforeunload", (event) => { if (unsavedDecisions()) event.preventDefault(); });

function say(text, bad = false) {
  at("said").textContent = text;
  at("said").className = bad ? "on bad" : "on";
  clearTimeout(say.off);
  say.off = setTimeout(() => { at("said").className = ""; }, bad ? 6000 : 2600);
}

function refused(error) {
  if (!(error instanceof Refused)) throw error;
  say(`Not saved: ${error.message}${error.remedy ? "; " + error.remedy : ""}`, true);
}

// ---- keys

function look() {
  const image = shown && shown.images[chosen];
  if (!image || image.row < 0) return;
  at("large-picture").src = `pictures/${image.row}?${facts.edition}`;
  at("large-picture").alt = at("large-path").textContent = image.path;
  open("large");
}

async function showActs() {
  showHistory((await get("history")).acts);
}

const rows = () => Math.max(1, Math.floor(at("grid").clientHeight / (grid.height + 10)));
const KEYS = {
  ArrowRight: () => select(grid.at + 1), ArrowLeft: () => select(grid.at - 1), j: () => select(grid.at + 1), k: () => select(grid.at - 1),
  ArrowDown: () => select(Math.min(grid.total - 1, grid.at + grid.columns)), ArrowUp: () => grid.at >= grid.columns && select(grid.at - grid.columns),
  Home: () => select(0), End: () => select(grid.total - 1),
  PageDown: () => select(grid.at + rows() * grid.columns), PageUp: () => select(grid.at - rows() * grid.columns),
  Enter: () => shown && keeping(), s: () => shown && follow_(), r: () => shown && relabelling(), d: () => shown && dropping(),
  o: () => shown && onlyThis(), m: () => shown && merging(), u: () => turn("undo"), U: () => turn("redo"),
  n: () => at("note") && at("note").focus(), v: look, a: wholesale, h: showActs, l: () => list(), "/": () => at("text").select(), "?": () => open("keys"),
};

document.addEventListener("keydown", (event) => {
  const { key, target } = event, writing = target.matches("input, select, textarea");
  if (!facts || anyOpen() || event.isComposing) {
    if (key === "v" && at("large").open) at("large").close();
    return;
  }
  if (key === "Escape" || (key === "Enter" && writing)) {
    if (writing) { target.blur(); at("grid").focus(); event.preventDefault(); }
    return;
  }
  if (writing || event.altKey) return;
  if (event.ctrlKey || event.metaKey) {
    const low = key.toLowerCase();
    if (low !== "z" && low !== "y") return;
    turn(low === "y" || event.shiftKey ? "redo" : "undo");
  } else if (key >= "1" && key <= "9" && shown && shown.kind === "copies") {
    if (shown.images[key - 1]) { chosen = key - 1; stage(); }
  } else {
    if (key === "Enter" && target.matches("button, a")) return;
    const run = KEYS[key] || KEYS[key.length === 1 && !event.shiftKey ? key.toLowerCase() : key];
    if (!run) return;
    run();
  }
  event.preventDefault();
});

for (const name of FILTERS) {
  let soon = 0;
  at(name).addEventListener("input", () => { clearTimeout(soon); soon = setTimeout(() => list(), name === "text" ? 150 : 0); });
}
at("filters").addEventListener("submit", (event) => event.preventDefault());
for (const [id, run] of [["undo", () => turn("undo")], ["redo", () => turn("redo")], ["history", showActs], ["all", wholesale], ["help", () => open("keys")], ["use", () => open("using")]]) {
  at(id).addEventListener("click", run);
}

// ---- the start

function options(select, names, all) {
  select.replaceChildren(new Option(all, ""), ...names.map((name) => new Option(name, name)));
}

async function start() {
  facts = await get("state");
  at("name").textContent = facts.name;
  document.title = `${facts.name} – Linne review`;
  at("apply").textContent = facts.apply;
  at("export").textContent = facts.export;
  options(at("label"), facts.labels, "any");
  options(at("suggestion"), facts.suggestions, "any");
  at("of-test").hidden = !facts.test;
  const kept = new URLSearchParams(location.hash.slice(1));
  for (const name of FILTERS) {
    if (!kept.has(name)) continue;
    at(name).value = kept.get(name);
    if (at(name).tagName === "SELECT" && at(name).selectedIndex < 0) at(name).selectedIndex = 0;
  }
  check = facts.checks.some((one) => one.check === kept.get("check")) ? kept.get("check") : "";
  standing({});
  await list(kept.has("case") ? kept.get("case") : null);
  at("grid").focus();
  const poll = () => setTimeout(() => keepUp().catch(() => {}).finally(poll), POLL);
  poll();
}

start();
