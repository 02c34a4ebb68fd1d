// The list, the stage and the progress.

import { doing } from "./deciding.js";
import { actInWords, open } from "./dialogs.js";
import { MOST_SHOWN, at, grid, note, now } from "./now.js";
import { get } from "./server.js";
import { draw, drawNothing } from "./stage.js";
import { during, forget, whenShown } from "./waiting.js";

export const FILTERS = ["text", "label", "suggestion", "state", "test", "sort"];
let listing = 0, selecting = 0;

export function filter() {
  return { check: now.check, ...Object.fromEntries(FILTERS.map((name) => [name, at(name).value])) };
}

export function list(near = now.shown && now.shown.case) {
  return during(listed(near));
}

async function listed(near) {
  const mine = ++listing, wanted = filter();
  const answer = await get("lists", near === null ? wanted : { ...wanted, near });
  if (mine !== listing) return;
  if (answer.edition !== now.facts.edition) return outdated();
  remember(near);
  grid.show(answer, answer.at);
  at("count").textContent = `${answer.total.toLocaleString()} shown`;
  await select(grid.at);
}

export function select(place) {
  return during(selected(place));
}

async function selected(place) {
  grid.move(place);
  const mine = ++selecting;
  if (!grid.total) {
    now.shown = null;
    return drawNothing(at("stage"), now.facts.total ? "Nothing in this list." : "The audit found nothing.");
  }
  const brief = await grid.need(grid.at);
  if (!brief || mine !== selecting) return;
  if (!now.shown || now.shown.case !== brief.case) now.most = MOST_SHOWN;
  const whole = await get("cases/" + brief.case, { images: now.most });
  if (mine !== selecting) return;
  if (!now.shown || now.shown.case !== whole.case) now.chosen = Math.max(0, whole.images.findIndex((image) => !image.answer));
  take(whole);
  remember(whole.case);
  prefetch();
}

export function take(whole) {
  now.shown = whole;
  stage();
}

export function stage() {
  if (!now.shown) return;
  draw(at("stage"), now.shown, {
    edition: now.facts.edition, chosen: now.chosen, note,
    doing: doing().map((one) => ({ ...one, run: () => whenShown(one.run) })),
    more: () => whenShown(() => { now.most = now.shown.images.length + MOST_SHOWN; select(grid.at); }),
    choose: (place) => whenShown(() => choose(place)),
    look,
  });
}

export function choose(place) {
  if (!now.shown || !now.shown.images[place]) return;
  now.chosen = place;
  stage();
}

function remember(number) {
  const kept = new URLSearchParams(Object.entries(filter()).filter(([, value]) => value));
  if (number !== null && number !== undefined) kept.set("case", number);
  history.replaceState(null, "", "#" + kept);
}

function prefetch() {
  for (const place of [grid.at + 1, grid.at + 2]) {
    const next = place < grid.total && grid.caseAt(place);
    if (next && next.kind === "image" && next.images[0].row >= 0) new Image().src = `pictures/${next.images[0].row}?${now.facts.edition}`;
  }
}

export function standing(value) {
  now.facts = { ...now.facts, ...value };
  const decided = now.facts.total - now.facts.open;
  at("bar").max = now.facts.total || 1;
  at("bar").value = decided;
  at("progress").textContent = `${decided.toLocaleString()} of ${now.facts.total.toLocaleString()} decided`;
  for (const turn of ["undo", "redo"]) {
    at(turn).disabled = !now.facts[turn];
    at(turn).title = now.facts[turn] ? `${turn === "undo" ? "Undo" : "Redo"}: ${actInWords(now.facts[turn])}` : "";
  }
  const buttons = [{ check: "", total: now.facts.total, open: now.facts.open }, ...now.facts.checks].map((one) => {
    const button = document.createElement("button"), count = document.createElement("span");
    button.type = "button";
    button.setAttribute("aria-pressed", one.check === now.check);
    button.title = `${one.open} of ${one.total} open`;
    count.textContent = one.open.toLocaleString();
    button.append(one.check || "all", count);
    button.addEventListener("click", () => { now.check = one.check; standing({}); forget(); list(); at("grid").focus(); });
    return button;
  });
  at("checks").replaceChildren(...buttons);
}

export function look() {
  const image = now.shown && now.shown.images[now.chosen];
  if (!image || image.row < 0) return;
  at("large-picture").src = `pictures/${image.row}?${now.facts.edition}`;
  at("large-picture").alt = at("large-path").textContent = image.path;
  open("large");
}

export function outdated(isOpened = true) {
  const first = isOpened ? "" : "Start linne review again, and then l";
  at("gone").textContent = `The audit was made anew. ${first || "L"}oad the page again to see its findings.`;
  at("gone").hidden = false;
}
