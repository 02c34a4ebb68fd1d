// The list as a grid of pictures. Only what is in sight is in the page: 100,000 findings are as fast as 100.

import { get, Refused } from "./server.js";

const WINDOW = 60, GAP = 10, SPARE = 1;

export function make(tag, className, text) {
  // Names of classes and files come from people: they enter the page as text only.
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

export function shot(image, edition, kind = "thumbnails") {
  const box = make("div", "shot" + (image.gone ? " gone" : ""));
  if (image.test) box.append(make("span", "badge", "TEST"));
  if (image.row < 0) {
    box.append(make("span", "why", "left out of the index"));
    return box;
  }
  const img = make("img"), address = kind + "/" + image.row + "?" + edition;
  img.alt = image.path ? image.path.split("/").pop() : "";
  img.decoding = "async";
  img.addEventListener("error", async () => {
    img.remove();
    const why = make("span", "why", "no picture");
    box.append(why);
    const answer = await fetch(address).then((response) => response.json()).catch(() => null);
    if (answer && answer.error) why.textContent = answer.error;
  });
  img.src = address;
  box.append(img);
  return box;
}

export function inWords(answer) {
  if (!answer) return "";
  return { keep: "kept", drop: "dropped", relabel: "now " + answer.to, merge: "merged into " + answer.to }[answer.action];
}

export class Grid {
  // `choose` and `forgotten` are set from outside: what to do when a cell is clicked, and when the server forgot the list.
  constructor(element, space) {
    Object.assign(this, { element, space });
    this.list = null;
    this.total = this.at = 0;
    this.saving = new Set();
    this.windows = new Map();
    this.cells = new Map();
    element.addEventListener("scroll", () => this.drawSoon(), { passive: true });
    new ResizeObserver(() => { this.measure(); this.reveal(); this.drawSoon(); }).observe(element);
  }

  show({ list, total, edition }, at) {
    Object.assign(this, { list, total, edition, at: Math.max(0, Math.min(at, total - 1)) });
    this.windows.clear();
    this.space.replaceChildren();
    this.cells.clear();
    if (!total) this.space.append(make("p", "empty", "Nothing here. Change the filter, or show all."));
    this.measure();
    this.reveal();
    this.draw();
  }

  // Decisions came from elsewhere: what is in sight is asked for anew, the rest when it comes into sight.
  renew() {
    const old = this.windows;
    this.windows = new Map();
    for (const [number, known] of old) this.windows.set(number, { cases: known.cases, stale: true });
    this.draw();
  }

  caseAt(at) {
    const known = this.windows.get(Math.floor(at / WINDOW));
    return known && known.cases && known.cases[at % WINDOW];
  }

  put(at, shown) {
    const known = this.windows.get(Math.floor(at / WINDOW));
    if (known && known.cases && known.cases[at % WINDOW] && known.cases[at % WINDOW].case === shown.case) {
      known.cases[at % WINDOW] = shown;
      this.fill(at);
    }
  }

  // Give a case that may have to be asked for first.
  async need(at) {
    await this.load(Math.floor(at / WINDOW));
    return this.caseAt(at);
  }

  load(number) {
    const known = this.windows.get(number);
    if (known && !known.stale) return known.coming;
    const list = this.list;
    const entry = { cases: known && known.cases };
    entry.coming = get("lists/" + list, { start: number * WINDOW, count: WINDOW }).then(({ cases }) => {
      if (list !== this.list) return;
      entry.cases = cases;
      for (let i = 0; i < cases.length; i += 1) this.fill(number * WINDOW + i);
    }).catch((error) => {
      if (list === this.list && error instanceof Refused && error.status === 410) this.forgotten();
    });
    this.windows.set(number, entry);
    return entry.coming;
  }

  measure() {
    const narrow = this.element.clientWidth < 520;
    const least = narrow ? 104 : 150;
    this.height = narrow ? 118 : 186;
    const width = Math.max(this.space.clientWidth, least);
    this.columns = Math.max(1, Math.floor((width + GAP) / (least + GAP)));
    this.width = (width + GAP) / this.columns - GAP;
    this.space.style.height = Math.ceil(this.total / this.columns) * (this.height + GAP) + "px";
  }

  drawSoon() {
    if (this.soon) return;
    this.soon = requestAnimationFrame(() => { this.soon = 0; this.draw(); });
  }

  draw() {
    const step = this.height + GAP, top = this.element.scrollTop;
    const first = Math.max(0, Math.floor(top / step) - SPARE) * this.columns;
    const last = Math.min(this.total, (Math.ceil((top + this.element.clientHeight) / step) + SPARE) * this.columns);
    for (const [at, cell] of this.cells) {
      if (at < first || at >= last) { cell.remove(); this.cells.delete(at); }
    }
    for (let at = first; at < last; at += 1) {
      let cell = this.cells.get(at);
      if (!cell) {
        cell = make("div", "cell");
        cell.id = "cell-" + at;
        cell.setAttribute("role", "option");
        cell.setAttribute("aria-setsize", this.total);
        cell.setAttribute("aria-posinset", at + 1);
        cell.addEventListener("click", () => this.choose(at));
        this.cells.set(at, cell);
        this.space.append(cell);
        this.fill(at);
      }
      cell.style.width = this.width + "px";
      cell.style.height = this.height + "px";
      cell.style.transform = `translate(${(at % this.columns) * (this.width + GAP)}px, ${Math.floor(at / this.columns) * step}px)`;
      cell.setAttribute("aria-selected", at === this.at);
    }
    if (last > first) {
      for (let number = Math.floor(first / WINDOW); number <= Math.floor((last - 1) / WINDOW); number += 1) this.load(number);
    }
    if (this.total) this.element.setAttribute("aria-activedescendant", "cell-" + this.at);
    else this.element.removeAttribute("aria-activedescendant");
  }

  fill(at) {
    const cell = this.cells.get(at), shown = this.caseAt(at);
    if (!cell || !shown) return;
    const { images, label, suggestion, checks, count, kind } = shown;
    const seen = JSON.stringify(shown) + this.saving.has(shown.case);
    if (cell.seen === seen) return;
    cell.seen = seen;
    cell.className = "cell" + (shown.decided ? " decided" : "") + (this.saving.has(shown.case) ? " saving" : "");
    const thumbs = make("div", "thumbs" + (images.length > 2 ? " four" : ""));
    if (kind === "class") thumbs.append(make("div", "shot", label || "the whole set"));
    for (const image of images) thumbs.append(shot(image, this.edition));
    if (count > images.length) thumbs.lastChild.append(make("span", "many", "+" + (count - images.length)));
    const title = make("p"), sub = make("p", "sub");
    if (kind === "copies") title.append([...new Set(images.map((image) => image.label))].join(" / "));
    else title.append(label || (images[0] && images[0].path) || checks[0]);
    if (suggestion && !shown.decided) title.append(" → ", make("span", "to", suggestion));
    sub.append(make("span", "", checks.join(", ")), told(shown));
    cell.replaceChildren(thumbs, title, sub);
    cell.title = images.map((image) => image.path).join("\n");
  }

  reveal() {
    const step = this.height + GAP, top = Math.floor(this.at / this.columns) * step, bottom = top + step + 2 * GAP;
    if (top < this.element.scrollTop) this.element.scrollTop = top;
    else if (bottom > this.element.scrollTop + this.element.clientHeight) this.element.scrollTop = bottom - this.element.clientHeight;
  }

  move(at) {
    this.at = Math.max(0, Math.min(at, this.total - 1));
    this.reveal();
    this.draw();
  }
}

function told({ decided, images, answer, kind }) {
  if (kind === "copies") {
    const gone = images.filter((image) => image.gone).length;
    return make("span", gone ? "drop" : "keep", gone ? gone + " dropped" : decided ? "kept" : "");
  }
  const said = kind === "class" ? answer : images[0] && images[0].answer;
  return make("span", said ? { keep: "keep", drop: "drop" }[said.action] || "to" : "keep", inWords(said) || (decided ? "settled" : ""));
}
