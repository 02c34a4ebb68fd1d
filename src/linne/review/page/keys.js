// What keys do.

import { dropping, following, keeping, merging, onlyThis, relabelling, turn, wholesale } from "./deciding.js";
import { anyOpen, open, showHistory } from "./dialogs.js";
import { at, grid, now } from "./now.js";
import { get } from "./server.js";
import { choose, list, look, select } from "./showing.js";
import { inTurn, whenShown } from "./waiting.js";

export async function showActs() {
  showHistory((await get("history")).acts);
}

const rows = () => Math.max(1, Math.floor(at("grid").clientHeight / (grid.height + 10)));
const KEYS = {
  ArrowRight: () => select(grid.at + 1), ArrowLeft: () => select(grid.at - 1), j: () => select(grid.at + 1), k: () => select(grid.at - 1),
  ArrowDown: () => select(Math.min(grid.total - 1, grid.at + grid.columns)), ArrowUp: () => grid.at >= grid.columns && select(grid.at - grid.columns),
  Home: () => select(0), End: () => select(grid.total - 1),
  PageDown: () => select(grid.at + rows() * grid.columns), PageUp: () => select(grid.at - rows() * grid.columns),
  Enter: () => now.shown && keeping(), s: () => now.shown && following(), r: () => now.shown && relabelling(), d: () => now.shown && dropping(),
  o: () => now.shown && onlyThis(), m: () => now.shown && merging(), u: () => turn("undo"), U: () => turn("redo"),
  n: () => at("note") && at("note").focus(), v: look, a: wholesale, h: showActs, l: () => list(), "/": () => at("text").select(), "?": () => open("keys"),
};

const ABOUT_THE_FINDING = ["Enter", "s", "r", "d", "o", "m", "u", "U", "v", "a"];

document.addEventListener("keydown", (event) => {
  const { key, target } = event, writing = target.matches("input, select, textarea");
  if (!now.facts || anyOpen() || event.isComposing) {
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
    whenShown(() => turn(low === "y" || event.shiftKey ? "redo" : "undo"));
  } else if (key >= "1" && key <= "9") {
    whenShown(() => now.shown && now.shown.kind === "copies" && choose(key - 1));
  } else {
    if (key === "Enter" && target.matches("button, a")) return;
    const name = KEYS[key] || event.shiftKey || key.length > 1 ? key : key.toLowerCase();
    if (!KEYS[name]) return;
    // A key that is held down repeats itself faster than anybody looks: it moves, and decides once.
    if (!ABOUT_THE_FINDING.includes(name)) inTurn(KEYS[name]);
    else if (!event.repeat) whenShown(KEYS[name]);
  }
  event.preventDefault();
});
