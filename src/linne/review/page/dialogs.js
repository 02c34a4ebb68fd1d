// Windows above the page: the class picker, one answer to many, the history, the keys.

import { inWords, make } from "./grid.js";

const at = (id) => document.getElementById(id);
const MOST_CHOICES = 200;

export function anyOpen() {
  return Boolean(document.querySelector("dialog[open]"));
}

for (const button of document.querySelectorAll("dialog .close")) {
  button.addEventListener("click", () => button.closest("dialog").close());
}
for (const dialog of document.querySelectorAll("dialog")) {
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
}

export function open(id) {
  at(id).showModal();
}

// Ask for a class; gives null when it is closed. `first` are put on top while nothing is typed.
export function pickClass(title, classes, first, mayBeNew) {
  const dialog = at("picker"), input = at("picker-text"), list = at("picker-list");
  let choices = [], chosen = 0;
  return new Promise((resolve) => {
    let picked = null;
    const draw = () => {
      list.replaceChildren(...choices.map(({ name, isNew }, place) => {
        const item = make("li", "", name);
        item.id = "class-" + place;
        item.setAttribute("role", "option");
        item.setAttribute("aria-selected", place === chosen);
        if (isNew) item.append(" ", make("span", "", "a new class"));
        item.addEventListener("click", () => finish(name));
        return item;
      }));
      if (choices.length) input.setAttribute("aria-activedescendant", "class-" + chosen);
      else input.removeAttribute("aria-activedescendant");
      const on = list.children[chosen];
      if (on) on.scrollIntoView({ block: "nearest" });
    };
    const find = () => {
      const typed = input.value.trim(), low = typed.toLowerCase();
      const order = [...new Set([...first, ...classes])];
      const starts = order.filter((name) => name.toLowerCase().startsWith(low));
      const holds = order.filter((name) => !name.toLowerCase().startsWith(low) && name.toLowerCase().includes(low));
      choices = [...starts, ...holds].slice(0, MOST_CHOICES).map((name) => ({ name }));
      const exact = choices.findIndex(({ name }) => name === typed);
      if (exact > 0) choices.unshift(...choices.splice(exact, 1));
      if (mayBeNew && typed && exact < 0) choices.push({ name: typed, isNew: true });
      chosen = 0;
      draw();
    };
    const finish = (name) => { picked = name; dialog.close(); };
    const onKey = (event) => {
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        chosen = (chosen + (event.key === "ArrowDown" ? 1 : choices.length - 1)) % Math.max(choices.length, 1);
        draw();
      } else if (event.key === "Enter") {
        if (choices[chosen]) finish(choices[chosen].name);
      } else return;
      event.preventDefault();
    };
    const onClose = () => {
      input.removeEventListener("input", find);
      input.removeEventListener("keydown", onKey);
      resolve(picked);
    };
    at("picker-title").textContent = title;
    input.value = "";
    input.addEventListener("input", find);
    input.addEventListener("keydown", onKey);
    dialog.addEventListener("close", onClose, { once: true });
    find();
    dialog.showModal();
    input.focus();
  });
}

// Ask what to do with all of the list; gives null when it is closed.
export function pickWholesale(many) {
  const dialog = at("wholesale");
  at("wholesale-title").textContent = `All ${many.toLocaleString()} open findings of this list`;
  return new Promise((resolve) => {
    let picked = null;
    at("wholesale-choices").replaceChildren(...[
      ["keep", "Keep all as they are", "They count as looked at."],
      ["suggestion", "Follow every suggestion", "Relabels each image to its suggested class."],
      ["first", "Keep one copy of each group", "Keeps the first, drops the others. Copies under two labels are left for you."],
      ["drop", "Drop all", "Groups of copies and classes are left for you."],
    ].map(([how, text, more]) => {
      const button = make("button", "", text);
      button.type = "button";
      button.dataset.how = how;
      button.append(make("small", "", more));
      button.addEventListener("click", () => { picked = how; dialog.close(); });
      return button;
    }));
    dialog.addEventListener("close", () => resolve(picked), { once: true });
    dialog.showModal();
  });
}

export function showHistory(acts) {
  at("acts-list").replaceChildren(...acts.map((act) => {
    const item = make("li"), what = make("span", act.stands ? "" : "undone", actInWords(act));
    item.append(what, make("small", "", [act.who, new Date(act.when).toLocaleString(), act.stands ? "" : "undone", act.why].filter(Boolean).join(" · ")));
    return item;
  }));
  if (!acts.length) at("acts-list").append(make("li", "", "Nothing decided yet."));
  open("acts");
}

export function actInWords({ action, subject, to, count, test }) {
  const many = count > 1 ? `${count.toLocaleString()} images: ` : "";
  const what = action === "several" ? "kept and dropped copies" : inWords({ action, to });
  return many + (count > 1 ? what : `${subject || "the whole set"} ${what}`) + (test ? " (test image)" : "");
}
