// What keys do.

import { dropping, following, keeping, merging, onlyThis, relabelling, turn, wholesale } from "./deciding.js";
import { anyOpen, open, showHistory } from "./dialogs.js";
import { at, grid, now } from "./now.js";
import { get } from "./server.js";
import { list, look, select, stage } from "./showing.js";

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
    turn(low === "y" || event.shiftKey ? "redo" : "undo");
  } else if (key >= "1" && key <= "9" && now.shown && now.shown.kind === "copies") {
    if (now.shown.images[key - 1]) { now.chosen = key - 1; stage(); }
  } else {
    if (key === "Enter" && target.matches("button, a")) return;
    const run = KEYS[key] || KEYS[key.length === 1 && !event.shiftKey ? key.toLowerCase() : key];
    if (!run) return;
    run();
  }
  event.preventDefault();
});
