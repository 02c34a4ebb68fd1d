// Decisions: what may be done with the case on the stage, how it is sent, undone and done again.

import { actInWords, pickClass, pickWholesale } from "./dialogs.js";
import { keepUp } from "./main.js";
import { grid, note, now, refused, say } from "./now.js";
import { get, send } from "./server.js";
import { filter, select, stage, standing, take } from "./showing.js";
import { during, forget } from "./waiting.js";

// What this tab decided itself: the version of its last decision on a case, an image, or a class.
const own = new Map();

export function doing() {
  const { kind, suggestion, images } = now.shown, inIndex = kind === "class" || images.some((image) => image.row >= 0);
  const merge = { id: "merge", key: "M", text: "Merge class…", run: () => merging() };
  const keep = { id: "keep", key: "⏎", text: "Keep", run: () => keeping() };
  if (!inIndex) return [keep];
  if (kind === "class") {
    const follow = suggestion && { id: "follow", key: "S", text: `Merge into ${suggestion}`, run: () => following(), first: true };
    return [follow, keep, now.shown.label && merge].filter(Boolean);
  }
  const relabel = { id: "relabel", key: "R", text: "Relabel…", run: () => relabelling() };
  const drop = { id: "drop", key: "D", text: "Drop", run: () => dropping() };
  if (kind === "copies") {
    const only = { id: "only", key: "O", text: `Keep only ${now.chosen + 1}`, run: () => onlyThis(), first: true };
    return [only, { ...keep, text: "Keep all" }, { ...drop, text: `Drop ${now.chosen + 1}` }, { ...relabel, text: `Relabel ${now.chosen + 1}…` }];
  }
  const follow = suggestion && { id: "follow", key: "S", text: `It is ${suggestion}`, run: () => following(), first: true };
  return [follow, keep, relabel, drop, merge].filter(Boolean);
}

const one = (action, more = {}) => ({ action, image: now.chosen, test: now.shown.images[now.chosen].test, ...more });

export function keeping() {
  if (now.shown.kind === "class") return decide([{ action: "keep" }]);
  return decide([{ action: "keep", image: 0, test: now.shown.images[0].test, rest: "keep" }]);
}

export function dropping() {
  if (now.shown.kind !== "class" && now.shown.images[now.chosen].row >= 0) decide([one("drop")]);
}

export function onlyThis() {
  if (now.shown.kind !== "copies") return;
  decide([one("keep", { rest: "drop" })]);
}

export function following() {
  if (!now.shown.suggestion) return say("Nothing is suggested here.");
  if (now.shown.kind === "class") decide([{ action: "merge", label: now.shown.label, to: now.shown.suggestion }]);
  else if (now.shown.kind === "image") decide([one("relabel", { to: now.shown.suggestion })]);
}

export async function relabelling() {
  if (now.shown.kind === "class" || now.shown.images[now.chosen].row < 0) return;
  const about = now.shown, place = now.chosen, image = now.shown.images[place];
  const to = await pickClass(`${image.label} is really…`, now.facts.classes, now.shown.suggestion ? [now.shown.suggestion] : [], true);
  if (to !== null && now.shown === about) decide([{ action: "relabel", image: place, to, test: image.test }]);
}

export async function merging() {
  const about = now.shown, label = now.shown.label;
  if (!label) return;
  const others = now.facts.classes.filter((name) => name !== label);
  const to = await pickClass(`Merge all of ${label} into…`, others, now.shown.suggestion ? [now.shown.suggestion] : [], true);
  if (to !== null && now.shown === about) decide([{ action: "merge", label, to }]);
}

function decide(answers) {
  const about = now.shown, place = grid.at, at = grid.caseAt(place);
  if (!at || at.case !== about.case) return say("Not there yet: decide when it is shown.", true);
  // Test images among several are not dropped with them, so there is still something to decide here.
  const leaves = answers[0].rest === "drop" && about.tests > about.images[answers[0].image].test;
  const whole = !leaves && (about.kind !== "copies" || Boolean(answers[0].rest));
  const saving = save(about, place, answers, whole);
  if (!whole) during(saving);  // which image is next is told by the answer
}

async function save(about, place, answers, whole) {
  const body = { edition: now.facts.edition, case: about.case, images: now.most, why: note.text, answers };
  note.text = "";
  grid.saving.add(about.case);
  grid.fill(place);
  if (whole && place + 1 < grid.total) select(place + 1);
  else if (!whole) stage();
  try {
    const answer = await send("decide", () => ({ ...body, seen: seen(about, answers) }), (value) => {
      for (const name of subjects(value.shown, answers)) own.set(name, value.version);
      settle(value);
    });
    grid.saving.delete(about.case);
    grid.put(place, { ...answer.shown, images: answer.shown.images.slice(0, 4) });
    if (now.shown && now.shown.case === about.case) {
      take(answer.shown);
      if (!whole && answer.shown.decided && grid.at === place && place + 1 < grid.total) select(place + 1);
      else if (!whole) { now.chosen = Math.max(0, now.shown.images.findIndex((image) => !image.answer)); stage(); }
    }
    const left = answer.test_left ? `. ${answer.test_left} test image${answer.test_left > 1 ? "s" : ""} left as it is: decide on each alone` : "";
    say((answer.undo && answer.act ? actInWords(answer.undo) : "Nothing changed") + left);
  } catch (error) {
    grid.saving.delete(about.case);
    refused(error);
    grid.renew();
    back(about, place);
  }
}

// Back to what could not be saved; what is pressed on the way was meant for another finding.
function back(about, place) {
  const there = grid.caseAt(place);
  forget();
  if (there && there.case === about.case) during(select(place).then(forget));
}

// What this tab decided itself it has seen, even if the case was drawn before.
function seen(about, answers) {
  return Math.max(about.version, ...subjects(about, answers).map((name) => own.get(name) || 0));
}

// Numbers of cases, paths, and classes, which begin like no path.
function subjects(about, answers) {
  const classes = answers.filter(({ action }) => action === "merge" || about.kind === "class");
  return [about.case, ...about.images.map((image) => image.path), ...classes.map(({ label }) => "//" + (label || about.label))];
}

// The answer tells what stands now; other cases may show the same image.
function settle(answer) {
  standing(answer);
  clearTimeout(settle.soon);
  settle.soon = setTimeout(() => grid.renew(), 250);
}

export async function wholesale() {
  const { open: many } = await during(get("lists", filter()));  // what is open now, not when the list was made
  if (!many) return say("Nothing is open in this list.");
  const how = await pickWholesale(many);
  if (how === null) return;
  try {
    const body = { edition: now.facts.edition, filter: filter(), how, why: note.text };
    note.text = "";
    const answer = await send("decide-all", () => body, settle);
    const left = [[answer.test_left, "with test images"], [answer.others_left, "that this does not fit"]].filter(([count]) => count);
    say(`${answer.images.toLocaleString()} decided` + left.map(([count, what]) => `; ${count.toLocaleString()} ${what} left`).join(""));
    select(grid.at);
  } catch (error) {
    refused(error);
  }
}

export function turn(kind) {
  return during(turned(kind));
}

async function turned(kind) {
  let act = null;
  const body = () => {
    act = now.facts[kind];
    return act && { edition: now.facts.edition, turn: kind, act: act.act };
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
