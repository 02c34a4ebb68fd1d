// The page: it starts here, keeps up with what others decide, and tells when the server is gone.

import { turn, wholesale } from "./deciding.js";
import { open } from "./dialogs.js";
import { showActs } from "./keys.js";
import { at, grid, now, say } from "./now.js";
import { get, onGone, unsavedDecisions } from "./server.js";
import { FILTERS, list, outdated, select, standing, take } from "./showing.js";
import { forget, inTurn, whenShown } from "./waiting.js";

const POLL = 1500;

export async function keepUp() {
  const { version, edition, current } = await get("version");
  if (edition !== now.facts.edition || !current) return outdated(current);
  if (version === now.facts.version || unsavedDecisions()) return;
  standing(await get("state"));
  grid.renew();
  if (now.shown) {
    const whole = await get("cases/" + now.shown.case, { images: now.most });
    if (now.shown && now.shown.case === whole.case) take(whole);
  }
}

onGone((lost, unsaved) => {
  // Nobody sees what such keys would decide on, so they are not done when it comes back.
  const keys = forget();
  if (keys) say(`${keys} key${keys > 1 ? "s were" : " was"} left out: there was nothing to be seen.`, true);
  at("gone").hidden = !lost;
  const what = unsaved ? ` ${unsaved} decision${unsaved > 1 ? "s are" : " is"} not saved yet; leave this page open.` : " All decisions are saved.";
  at("gone").textContent = `The server does not answer.${what} Start linne review again: this page goes on by itself.`;
});

addEventListener("beforeunload", (event) => { if (unsavedDecisions()) event.preventDefault(); });

for (const name of FILTERS) {
  let soon = 0;
  at(name).addEventListener("input", () => { clearTimeout(soon); soon = setTimeout(() => { forget(); list(); }, name === "text" ? 150 : 0); });
}
at("filters").addEventListener("submit", (event) => event.preventDefault());
for (const [id, run] of [["undo", () => whenShown(() => turn("undo"))], ["redo", () => whenShown(() => turn("redo"))], ["history", showActs], ["all", wholesale], ["help", () => open("keys")], ["use", () => open("using")]]) {
  at(id).addEventListener("click", run);
}

function options(select, names, all) {
  select.replaceChildren(new Option(all, ""), ...names.map((name) => new Option(name, name)));
}

async function start() {
  grid.choose = (place) => inTurn(() => select(place));
  grid.forgotten = () => list();
  now.facts = await get("state");
  at("name").textContent = now.facts.name;
  document.title = `${now.facts.name} – Linne review`;
  at("apply").textContent = now.facts.apply;
  at("export").textContent = now.facts.export;
  options(at("label"), now.facts.labels, "any");
  options(at("suggestion"), now.facts.suggestions, "any");
  at("of-test").hidden = !now.facts.test;
  const kept = new URLSearchParams(location.hash.slice(1));
  for (const name of FILTERS) {
    if (!kept.has(name)) continue;
    at(name).value = kept.get(name);
    if (at(name).tagName === "SELECT" && at(name).selectedIndex < 0) at(name).selectedIndex = 0;
  }
  now.check = now.facts.checks.some((one) => one.check === kept.get("check")) ? kept.get("check") : "";
  standing({});
  await list(kept.has("case") ? kept.get("case") : null);
  at("grid").focus();
  const poll = () => setTimeout(() => keepUp().catch(() => {}).finally(poll), POLL);
  poll();
}

start();
