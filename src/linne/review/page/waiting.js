// Keys that are pressed before the finding they are meant for has arrived. They wait for it, in their order: a decision
// is always about the finding that the list is at, and never about the one before, which is still to be seen.

import { anyOpen } from "./dialogs.js";

const pressed = [];
let arriving = 0;

// Something is coming that decisions must wait for.
export async function during(coming) {
  arriving += 1;
  try {
    return await coming;
  } finally {
    arriving -= 1;
    // Not at once: whoever waits for the same may open a window first, and what was typed is for that.
    if (!arriving) setTimeout(goOn);
  }
}

// For what does not depend on the finding: it waits only behind what was pressed before.
export function inTurn(run) {
  if (pressed.length) pressed.push(run);
  else run();
}

export function whenShown(run) {
  if (arriving || pressed.length) pressed.push(run);
  else run();
}

// What was pressed for a finding that does not come now is for no other. Gives how much that was.
export function forget() {
  return pressed.splice(0).length;
}

const typing = () => anyOpen() || document.activeElement.matches("input, select, textarea");

function goOn() {
  while (pressed.length && !arriving) {
    if (typing()) forget();  // letters of a class or a note, typed before there was a place for them
    else pressed.shift()();
  }
}
