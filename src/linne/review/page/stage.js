// The finding that is being decided on: large, with its reason, its answers, and examples of its classes.

import { inWords, make, shot } from "./grid.js";

export function draw(stage, shown, { edition, chosen, note, choose, more, doing, look }) {
  const scrolled = stage.dataset.case === String(shown.case) ? stage.scrollTop : 0;
  stage.dataset.case = shown.case;
  const parts = [tags(shown)];
  if (shown.kind === "image") {
    const big = shot(shown.images[0], edition, "pictures");
    big.classList.add("big");
    big.addEventListener("click", look);
    parts.push(big);
  }
  parts.push(question(shown));
  if (shown.kind === "copies") parts.push(copies(shown, edition, chosen, choose, more));
  for (const text of new Set(shown.findings.map((finding) => finding.reason))) parts.push(make("p", "", capital(text)));
  const remedies = new Set(shown.findings.map((finding) => finding.remedy).filter(Boolean));
  for (const text of remedies) parts.push(make("p", "soft", capital(text) + "."));
  if (shown.kind === "image") parts.push(make("p", "path", shown.images[0].path));
  if (shown.images.some((image) => image.test)) {
    parts.push(make("p", "testing", "A test image. What you decide on it changes what the scores mean: it is recorded with your name in the index that comes of this review, and in every run of it."));
  }
  const answered = shown.kind === "image" ? shown.images[0].answer : shown.answer;
  if (answered) parts.push(answerOf(answered));
  else if (shown.decided && shown.kind !== "copies") parts.push(make("p", "answer", "Settled: the classes are merged."));
  parts.push(buttons(doing, note));
  for (const { label, rows } of shown.examples) {
    const examples = make("div", "examples"), title = make("h3"), row = make("div", "row");
    title.append(shown.suggestion === label ? "Others, labelled " : "Labelled ", make("b", "", label));
    for (const number of rows) row.append(shot({ row: number }, edition));
    examples.append(title, rows.length ? row : make("p", "soft", "No image of it is without findings."));
    parts.push(examples);
  }
  const focused = document.activeElement && stage.contains(document.activeElement) ? document.activeElement.id : "";
  stage.replaceChildren(...parts);
  if (focused && document.getElementById(focused)) document.getElementById(focused).focus();
  stage.scrollTop = scrolled;
}

export function drawNothing(stage, text) {
  delete stage.dataset.case;
  stage.replaceChildren(make("p", "soft", text));
}

function tags(shown) {
  const line = make("div", "tags");
  for (const check of shown.checks) line.append(make("span", "tag", check));
  if (shown.images.some((image) => image.test)) line.append(make("span", "tag test", "TEST IMAGE"));
  line.append(make("span", "", "score " + shown.score.toFixed(2)));
  const also = new Set(shown.images.flatMap((image) => image.also));
  if (also.size) line.append(make("span", "", "also: " + [...also].join(", ")));
  return line;
}

function question(shown) {
  const line = make("p", "question");
  if (shown.kind === "copies") line.append(shown.count.toLocaleString() + " images that go together: which stay?");
  else if (shown.suggestion) line.append(make("span", "from", shown.label + " → "), shown.suggestion + "?");
  else line.append(shown.label || (shown.kind === "image" ? "Not in a class" : "The whole set"));
  return line;
}

function copies(shown, edition, chosen, choose, more) {
  const group = make("div", "copies");
  group.setAttribute("role", "radiogroup");
  group.setAttribute("aria-label", "Copies");
  shown.images.forEach((image, place) => {
    const figure = make("figure"), caption = make("figcaption"), name = make("b", "", image.label);
    figure.id = "copy-" + place;
    figure.tabIndex = -1;
    figure.setAttribute("role", "radio");
    figure.setAttribute("aria-checked", place === chosen);
    figure.setAttribute("aria-label", [image.label, image.path, image.test ? "test image" : "", inWords(image.answer)].filter(Boolean).join(", "));
    if (image.now !== image.label) name.append(" → " + image.now);
    if (place < 9) caption.append(make("kbd", "", place + 1), " ");
    caption.append(name);
    const said = inWords(image.answer);
    if (said) caption.append(" ", make("span", image.gone ? "drop" : "keep", said));
    caption.append(make("div", "path", image.path));
    figure.append(shot(image, edition), caption);
    figure.addEventListener("click", () => choose(place));
    group.append(figure);
  });
  if (shown.count > shown.images.length) {
    const button = make("button", "", `${shown.images.length.toLocaleString()} of ${shown.count.toLocaleString()} are shown. More`);
    button.type = "button";
    button.id = "more";
    button.addEventListener("click", more);
    group.append(button);
  }
  return group;
}

function answerOf({ action, to, who, when, why }) {
  const line = make("p", "answer");
  line.append(make("b", "", capital(inWords({ action, to }))), ` by ${who}, ${new Date(when).toLocaleString()}`);
  if (why) line.append(": " + why);
  return line;
}

function buttons(doing, note) {
  const line = make("div", "doing");
  for (const { key, text, run, id, first } of doing) {
    const button = make("button", first ? "first" : "", text + " ");
    button.type = "button";
    button.id = "do-" + id;
    button.append(make("kbd", "", key));
    button.addEventListener("click", run);
    line.append(button);
  }
  const label = make("label", "note"), input = make("input");
  input.id = "note";
  input.placeholder = "Why? A note for the next decision   N";
  input.setAttribute("aria-label", "Why: a note for the next decision");
  input.maxLength = 2000;
  input.value = note.text;
  input.addEventListener("input", () => { note.text = input.value; });
  label.append(input);
  line.append(label);
  return line;
}

function capital(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
