// What is on the page at the moment, which all its parts see.

import { Grid } from "./grid.js";
import { Refused } from "./server.js";

export const at = (id) => document.getElementById(id);
export const note = { text: "" };

// `facts` are those of the server; `shown` is the case on the stage, `chosen` the image in it, `most`
// how many of its images may be shown; `check` is the filter's.
export const MOST_SHOWN = 200;
export const now = { facts: null, check: "", shown: null, chosen: 0, most: MOST_SHOWN };

export const grid = new Grid(at("grid"), at("space"));

export function say(text, bad = false) {
  at("said").textContent = text;
  at("said").className = bad ? "on bad" : "on";
  clearTimeout(say.off);
  say.off = setTimeout(() => { at("said").className = ""; }, bad ? 6000 : 2600);
}

export function refused(error) {
  if (!(error instanceof Refused)) throw error;
  say(`Not saved: ${error.message}${error.remedy ? "; " + error.remedy : ""}`, true);
}
