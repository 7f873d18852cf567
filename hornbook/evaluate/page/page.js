"use strict";
// The page: sign in, one question after the other, the end. Everything can be done from the keyboard.

const at = (id) => document.getElementById(id);
const kept = {  // a browser may refuse to keep anything
  get(key) { try { return localStorage.getItem(key); } catch { return null; } },
  set(key, value) { try { localStorage.setItem(key, value); } catch { /* the next visit asks again */ } },
};
const CHOSEN = 160;  // milliseconds in which a choice is seen before the next question comes
let language = kept.get("language") ?? (navigator.language.startsWith("zh") ? "zh" : "en");
let study, rater = "", state = null, again = false, busy = false, raw = false, marks = {}, current = 0, note = "";
let shownAt = 0, hiddenAt = 0, spent = [];

function say(key, fields = {}) {
  return WORDS[language][key].replace(/\{(\w+)\}/g, (_, name) => fields[name]);
}

async function ask(path, body) {
  const options = body && { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  const response = await fetch(path, options);
  const answer = await response.json();
  if (!response.ok) throw new Error(typeof answer.detail === "string" ? answer.detail : response.statusText);
  return answer;
}

async function attempt(work) {  // one thing at a time; what fails is told and may be tried again
  if (busy) return;
  busy = true;
  try {
    await work();
    at("trouble").hidden = true;
  } catch (error) {
    const told = error instanceof TypeError ? say("trouble") : error.message;  // fetch throws TypeError: nobody there
    const retry = element("button", { className: "plain", textContent: say("retry"), onclick: () => attempt(work) });
    at("trouble").replaceChildren(told + " ", retry);
    at("trouble").hidden = false;
  }
  busy = false;
}

// ---- sign in

function signIn() {
  at("choices").hidden = true;
  const name = element("input", { id: "name", placeholder: say("name"), maxLength: 40, autocomplete: "off",
    value: rater || study.rater || kept.get("rater") || "" });
  name.setAttribute("aria-label", say("name"));
  const form = element("form", {}, name, element("button", { className: "main", textContent: say("start") }));
  form.onsubmit = (event) => { event.preventDefault(); if (name.value.trim()) begin(name.value); };
  const known = study.raters.map((each) => element("button", { type: "button", textContent: each, onclick: () => begin(each) }));
  const card = element("div", { className: "card" }, element("h1", { textContent: say(kind()) }),
    element("p", { className: "lead", textContent: say(`welcome_${kind()}`) }));
  if (study.guide) card.append(element("p", { className: "guide", textContent: study.guide }));
  card.append(form);
  if (known.length) card.append(element("p", { textContent: say("continue_as") }), element("div", { className: "back" }, ...known));
  card.append(element("p", { className: "lead", textContent: say("waiting", { n: study.of }) }));
  at("stage").replaceChildren(card);
  name.focus();
}

const begin = (name) => attempt(() => enter(name));

async function enter(name) {
  rater = name.trim().replace(/\s+/g, " ");
  kept.set("rater", rater);
  again = false;
  await show(await ask(`api/question?rater=${encodeURIComponent(rater)}`));
}

// ---- a question

async function show(next) {
  state = next;
  note = next.note ?? "";
  marks = {};
  current = 0;
  shownAt = performance.now();
  await draw();
}

async function draw() {
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  document.title = say(kind());
  at("language").textContent = say("other");
  at("language").lang = language === "zh" ? "en" : "zh-CN";
  at("help").replaceChildren(element("kbd", { textContent: "?" }), " " + say("help"));
  at("who").textContent = state ? rater : "";
  at("count").textContent = state ? counted() : "";
  at("progress").value = state && state.of ? state.done / state.of : 0;
  if (!state) return signIn();
  if (!state.question) return end();
  const { prompt, answers } = state.question;
  const asked = element("section", { className: "prompt", tabIndex: 0 }, element("h2", { textContent: say("asked") }), ...blocks(prompt));
  const titles = answers.length === 2 ? [say("left"), say("right")] : [say("answer")];
  const shown = answers.map((each, place) => {
    const text = element("div", { className: raw ? "text raw" : "text", tabIndex: 0 });
    if (!each.trim()) text.append(element("p", { className: "empty", textContent: say("nothing") }));
    else text.append(...(raw ? [each] : blocks(each)));
    return element("section", { className: "answer", id: `answer${place}` }, element("h2", { textContent: titles[place] }), text);
  });
  at("stage").className = shown.length === 1 ? "single" : "";
  at("stage").replaceChildren(asked, element("div", { className: shown.length === 2 ? "answers" : "answers one" }, ...shown));
  choices();
  at("stage").focus({ preventScroll: true });
  scrollTo(0, 0);
}

function counted() {
  const parts = [say("count", state)];
  if (state.skipped) parts.push(say("skipped", { n: state.skipped }));
  if (spent.length > 4 && state.question) {
    const usual = [...spent].sort((a, b) => a - b)[spent.length >> 1];
    parts.push(say("left_over", { minutes: Math.max(1, Math.round((state.of - state.done) * usual / 60)) }));
  }
  return parts.join(" · ");
}

const kind = () => (study.kind === "people_pairs" ? "pairs" : "scales");

function key(label, text) {
  return [element("kbd", { textContent: label }), text];
}

function choices() {
  const bar = at("choices"), write = element("input", { id: "note", className: "note", placeholder: say("note_hint"), maxLength: 2000, value: note });
  write.setAttribute("aria-label", say("note"));
  write.oninput = () => { note = write.value; };
  const small = element("div", { className: "small" },
    element("button", { className: "plain", id: "undo", onclick: undo }, ...key("U", say("undo"))),
    element("button", { className: "plain", id: "skip", onclick: () => judge("skip") }, ...key("S", say("skip"))),
    element("button", { className: "plain", onclick: toggle }, ...key("M", say(raw ? "shown" : "raw"))), write);
  bar.replaceChildren(kind() === "pairs" ? verdicts() : scales(), small);
  bar.hidden = false;
}

function verdicts() {
  const made = [["left", "1", "better_left"], ["tie", "0", "tie"], ["bad", "9", "bad"], ["right", "2", "better_right"]];
  return element("div", { className: "verdicts" }, ...made.map(([said, sign, word]) =>
    element("button", { id: said, onclick: () => judge(said) }, ...key(sign, say(word)))));
}

function scales() {
  const grid = element("div", { className: "scales" });
  study.scales.forEach(({ name, means }, place) => {
    const [word, told] = study.usual && WORDS[language].usual[name] || [name, means];
    const label = element("div", { className: place === current ? "scale now" : "scale", id: `scale${place}` }, word, element("small", { textContent: told }));
    const points = element("div", { className: "points" });
    points.setAttribute("role", "radiogroup");
    points.setAttribute("aria-label", word);
    for (let point = 1; point <= 5; point++) {
      const button = element("button", { textContent: point, onclick: () => mark(place, point) });
      button.setAttribute("role", "radio");
      button.setAttribute("aria-checked", marks[name] === point);
      points.append(button);
    }
    grid.append(label, points);
  });
  grid.append(element("div", { className: "ends" }, element("span", { textContent: say("low") }), element("span", { textContent: say("high") })));
  return grid;
}

function mark(place, point) {
  if (busy) return;
  marks[study.scales[place].name] = point;
  const open = study.scales.findIndex(({ name }) => !(name in marks));
  current = open < 0 ? place : open;
  choices();
  if (open < 0) judge({ ...marks });
}

function judge(said) {
  const seconds = (performance.now() - shownAt) / 1000, { number } = state.question;
  const chosen = { left: [0], right: [1], tie: [0, 1] }[said] ?? [];
  chosen.forEach((place) => at(`answer${place}`).classList.add("chosen"));
  attempt(async () => {
    const [next] = await Promise.all([ask("api/rating", { rater, question: number, said, seconds, note, again }),
      new Promise((resolve) => setTimeout(resolve, said === "skip" ? 0 : CHOSEN))]);
    if (said !== "skip") spent.push(seconds);
    await show(next);
  });
}

function undo() {
  attempt(async () => show(await ask("api/undo", { rater })));
}

function toggle() {
  raw = !raw;
  attempt(draw);
}

// ---- the end

async function end() {
  const found = await ask(`api/results?rater=${encodeURIComponent(rater)}`);
  const card = element("div", { className: "card", id: "end" }, element("h1", { textContent: say("thanks", { name: rater }) }),
    element("p", { className: "lead", textContent: say("done_line", { n: state.done }) }), kind() === "pairs" ? wins(found) : means(found));
  for (const { a, b, chance, value, prompts } of found.pairs ?? []) {
    if (!prompts) continue;
    const [first, second] = value >= 0.5 ? [a, b] : [b, a];
    card.append(element("p", { textContent: say(chance < 0.05 ? "better" : "same", { a: first, b: second, p: chance.toPrecision(2) }) }));
  }
  if (found.same_answers) card.append(element("p", { textContent: say("alike", { n: found.same_answers }) }));
  const links = element("div", { className: "small" }, element("button", { className: "plain", id: "undo", onclick: undo }, ...key("U", say("undo"))));
  links.append(element("a", { href: `report?rater=${encodeURIComponent(rater)}`, textContent: say("report") }));
  if (state.skipped) {
    links.prepend(element("button", { id: "again", textContent: say("again", { n: state.skipped }), onclick: () => {
      again = true;
      attempt(async () => show(await ask(`api/question?again=true&rater=${encodeURIComponent(rater)}`)));
    } }));
  }
  card.append(links);
  at("choices").hidden = true;
  at("stage").replaceChildren(card);
}

const cell = (text, className) => element("td", { className }, text);
const range = (interval, digits) => interval.map((each) => each.toFixed(digits)).join(" – ");

function table(heads, rows) {
  const head = element("tr", {}, ...heads.map((text) => element("th", { textContent: text })));
  return element("table", {}, element("thead", {}, head), element("tbody", {}, ...rows));
}

function wins(found) {
  const models = [...found.models].sort((a, b) => b.win_rate.value - a.win_rate.value);
  return table([say("model"), say("wins"), say("interval"), say("of")], models.map(({ name, win_rate: rate }) =>
    element("tr", {}, cell(name, "name"), cell(rate.value === null ? "" : rate.value.toFixed(2), "number"), cell(range(rate.interval, 2), "number"), cell(rate.of, "number"))));
}

function means(found) {
  const names = Object.keys(found.models[0].scales);
  const word = (name) => (study.usual && WORDS[language].usual[name] || [name])[0];
  return table([say("model"), ...names.map(word)], found.models.map(({ name, scales: given }) =>
    element("tr", {}, cell(name, "name"), ...names.map((scale) => {
      const { value, interval } = given[scale];
      return value === null ? cell("", "number") : cell(element("span", {}, value.toFixed(2) + " ", element("small", { textContent: interval[0] === null ? "" : range(interval, 1) })), "number");
    }))));
}

// ---- keys

const PAIRS = { 1: "left", ArrowLeft: "left", 2: "right", ArrowRight: "right", 0: "tie", ArrowUp: "tie", 9: "bad", ArrowDown: "bad" };

function help() {
  const rows = kind() === "pairs"
    ? [["1  ←", say("better_left")], ["2  →", say("better_right")], ["0  ↑", say("tie")], ["9  ↓", say("bad")]]
    : [["1 – 5", say("help_marks")], ["↑ ↓", say("help_move")]];
  rows.push(["U  ⌫", say("undo")], ["S", say("skip")], ["N", say("note")], ["M", `${say("raw")} / ${say("shown")}`], ["Space  PgDn  PgUp", say("help_scroll")]);
  const list = element("dl", {}, ...rows.flatMap(([keys, text]) =>
    [element("dt", {}, ...keys.split("  ").flatMap((each) => [element("kbd", { textContent: each }), " "])), element("dd", { textContent: text })]));
  at("keys").replaceChildren(element("h1", { textContent: say("help") }), list,
    element("button", { className: "main", textContent: say("close"), onclick: () => at("keys").close() }));
  at("keys").showModal();
}

function pressed(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || at("keys").open) return;
  if (event.target.matches("input")) {
    if (["Escape", "Enter"].includes(event.key) && event.target.id === "note") { event.target.blur(); event.preventDefault(); }
    return;
  }
  if (event.key === "?") { help(); return; }
  if (!state) return;
  const letter = event.key.toLowerCase();
  if (letter === "u" || event.key === "Backspace") { event.preventDefault(); if (!event.repeat) undo(); return; }
  if (!state.question) return;
  if ([" ", "PageDown", "PageUp"].includes(event.key) && !event.target.matches("button")) scrollBoth(event);
  if (event.repeat || busy) return;
  if (letter === "s") judge("skip");
  else if (letter === "m") toggle();
  else if (letter === "n") { event.preventDefault(); at("note").focus(); }
  else if (kind() === "pairs" && event.key in PAIRS) { event.preventDefault(); judge(PAIRS[event.key]); }
  else if (kind() === "scales") onScales(event);
}

function onScales(event) {
  if (/^[1-5]$/.test(event.key)) mark(current, Number(event.key));
  const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
  if (step) {
    event.preventDefault();
    current = (current + step + study.scales.length) % study.scales.length;
    choices();
  }
}

function scrollBoth(event) {
  event.preventDefault();
  const down = event.key === "PageUp" || event.shiftKey ? -1 : 1;
  for (const text of document.querySelectorAll(".text")) text.scrollBy(0, down * text.clientHeight * 0.85);
  if (document.documentElement.scrollHeight > innerHeight) scrollBy(0, down * innerHeight * 0.7);
}

document.addEventListener("keydown", pressed);
document.addEventListener("visibilitychange", () => {  // time away is no time spent on the question
  if (document.hidden) hiddenAt = performance.now();
  else shownAt += performance.now() - hiddenAt;
});
at("help").onclick = help;
at("language").onclick = () => {
  language = language === "zh" ? "en" : "zh";
  kept.set("language", language);
  attempt(draw);
};
attempt(async () => {
  study = await ask("api/study");
  await (study.rater ? enter(study.rater) : draw());
});
