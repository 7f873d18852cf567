// The chat page: what is written goes to /v1 as any client's would, and the answer is shown while it comes.

import { copyText, make, render } from "./markdown.js";
import { fill, WORDS } from "./words.js";

const KEPT = "hornbook.chat";
const USUAL = { system: "", temperature: 0.7, top_p: 0.95, min_p: 0, top_k: 0, max_tokens: 512, seed: "" };
const NUMBERS = ["temperature", "top_p", "min_p", "top_k", "max_tokens", "seed"];
const ALTERNATIVES = 5; // told for every token

const $ = (id) => document.getElementById(id);
const state = restore();
let models = [];
let running = null; // the AbortController of the answer that is coming

function restore() {
  const language = navigator.language.startsWith("zh") ? "zh" : "en";
  const fresh = { language, model: null, settings: { ...USUAL }, messages: [] };
  try {
    const kept = JSON.parse(localStorage.getItem(KEPT) ?? "{}");
    return { ...fresh, ...kept, settings: { ...USUAL, ...kept.settings } };
  } catch {
    return fresh;
  }
}

function keep() {
  const bare = { ...state, messages: state.messages.map((message) => ({ ...message, tokens: undefined })) };
  for (const each of [state, bare]) {
    try {
      localStorage.setItem(KEPT, JSON.stringify(each));
      return;
    } catch {
      // full or not allowed: without the probabilities, then not at all
    }
  }
}

const words = () => WORDS[state.language];
const chosen = () => models.find((each) => each.id === state.model);
const chats = () => chosen()?.abilities.includes("chat");
const writes = () => chosen()?.abilities.includes("completions");

function headers() {
  const key = sessionStorage.getItem("hornbook.key");
  return { "Content-Type": "application/json", ...(key ? { Authorization: `Bearer ${key}` } : {}) };
}

// ---- what stands on the page

function say() {
  const told = words();
  document.documentElement.lang = state.language === "zh" ? "zh-CN" : "en";
  for (const name of ["fresh", "tune", "usual"]) $(name).textContent = told[name];
  $("language").textContent = told.other;
  $("model").setAttribute("aria-label", told.model);
  for (const span of document.querySelectorAll("[data-say]")) span.textContent = told[span.dataset.say];
  $("hint").textContent = told.hint;
  showState();
  showMessages();
}

function showState() {
  const told = words();
  $("send").textContent = running ? told.stop : told.send;
  $("send").classList.toggle("stop", Boolean(running));
  $("send").disabled = !running && (!writes() || !$("text").value.trim());
  $("text").placeholder = chats() === false && writes() ? told.placeholderBase : told.placeholder;
  $("text").setAttribute("aria-label", $("text").placeholder);
  $("system").disabled = chats() === false;
  $("empty").hidden = state.messages.length > 0 || !chosen();
  const model = state.model ?? "";
  $("empty").querySelector("h2").textContent = fill(chats() ? told.emptyTitle : told.emptyTitleBase, { model });
  const why = chats() ? told.emptyChat : writes() ? told.emptyBase : told.emptyRead;
  $("empty").querySelector("p").textContent = why;
}

function showSettings() {
  for (const name of Object.keys(USUAL)) {
    $(name).value = state.settings[name];
    const output = $(name).parentElement.querySelector("output");
    if (output) output.textContent = Number(state.settings[name]).toFixed(2);
  }
  $("key").value = sessionStorage.getItem("hornbook.key") ?? "";
}

function showMessages() {
  $("messages").replaceChildren(...state.messages.map(element));
  toEnd(true);
}

function element(message, number) {
  const box = make("article", message.role);
  const body = make("div", "body");
  box.append(body);
  if (message.role === "user") body.textContent = message.content;
  else showAnswer(box, message, number === state.messages.length - 1);
  return box;
}

function showAnswer(box, message, last) {
  const told = words();
  const body = box.querySelector(".body");
  body.classList.toggle("plain", Boolean(message.asTokens) || message.base === true);
  if (message.error) box.classList.add("failed");
  if (message.asTokens && message.tokens) body.replaceChildren(...message.tokens.map(tokenElement));
  else if (!message.content && running && last) body.replaceChildren(make("span", "waiting", told.thinking));
  else if (message.base) body.textContent = message.content;
  else body.replaceChildren(render(message.content, told));
  if (message.error) body.append(make("p", "error", message.error));
  box.querySelector(".foot")?.remove();
  if (!(running && last)) box.append(foot(message, last));
}

function foot(message, last) {
  const told = words();
  const line = make("div", "foot");
  const button = (label, act) => {
    const made = make("button", "", label);
    made.type = "button";
    made.addEventListener("click", () => act(made));
    line.append(made);
  };
  if (message.content) button(told.copy, (made) => copyText(message.content, made, told));
  if (message.tokens?.length)
    button(message.asTokens ? told.text : told.tokens, () => {
      message.asTokens = !message.asTokens;
      keep();
      showMessages();
    });
  if (last) button(told.again, again);
  const facts = [];
  if (message.stats) facts.push(fill(told.stats, message.stats));
  if (message.reason === "length") facts.push(told.length);
  if (message.reason === "stopped") facts.push(told.stopped);
  line.append(make("span", "facts", facts.join(" · ")));
  return line;
}

function toEnd(always = false) {
  const talk = $("talk");
  if (always || talk.scrollHeight - talk.scrollTop - talk.clientHeight < 160) talk.scrollTop = talk.scrollHeight;
}

// ---- token probabilities

// Tokens as they can be shown: a character whose bytes lie in several tokens is one.
export function whole(entries) {
  const shown = [];
  let bytes = [];
  let log = 0;
  let top = null;
  for (const entry of entries) {
    bytes.push(...(entry.bytes ?? new TextEncoder().encode(entry.token)));
    log += entry.logprob;
    top ??= entry.top_logprobs.map((each) => [each.token, each.logprob]);
    if (unfinished(bytes)) continue;
    shown.push({ text: decoded(bytes), p: Math.exp(log), top });
    [bytes, log, top] = [[], 0, null];
  }
  if (bytes.length) shown.push({ text: decoded(bytes), p: Math.exp(log), top });
  return shown;
}

const decoded = (bytes) => new TextDecoder().decode(new Uint8Array(bytes));

// Whether bytes end within a character, with nothing wrong before: only then more of them may help.
function unfinished(bytes) {
  const strict = new TextDecoder("utf-8", { fatal: true });
  try {
    strict.decode(new Uint8Array(bytes), { stream: true });
  } catch {
    return false;
  }
  try {
    strict.decode();
  } catch {
    return true;
  }
  return false;
}

function tokenElement(token) {
  const span = make("span", "token", token.text);
  span.style.setProperty("--doubt", `${Math.round((1 - token.p) * 70)}%`);
  span.addEventListener("pointerenter", () => showOdds(span, token));
  span.addEventListener("pointerleave", () => ($("odds").hidden = true));
  return span;
}

function showOdds(span, token) {
  const odds = $("odds");
  const rows = token.top.some(([text]) => text === token.text) ? token.top : [[token.text, Math.log(token.p)], ...token.top];
  odds.replaceChildren(
    ...rows.map(([text, log]) => {
      const row = make("div", text === token.text ? "taken" : "");
      const bar = make("i");
      bar.style.width = `${Math.max(1, Math.exp(log) * 100)}%`;
      const spelled = text.replace(/\n/g, "⏎").replace(/\t/g, "⇥").replace(/ /g, "·") || words().nothing;
      row.append(make("code", "", spelled), make("b", "", `${(Math.exp(log) * 100).toFixed(1)} %`), bar);
      return row;
    }),
  );
  odds.hidden = false;
  const place = span.getClientRects()[0];
  const below = place.bottom + odds.offsetHeight + 8 < innerHeight;
  odds.style.top = `${below ? place.bottom + 4 : place.top - odds.offsetHeight - 4}px`;
  odds.style.left = `${Math.max(4, Math.min(place.left, innerWidth - odds.offsetWidth - 8))}px`;
}

// ---- asking

function question() {
  const { system, ...rest } = state.settings;
  const how = { model: state.model, stream: true, stream_options: { include_usage: true } };
  for (const name of NUMBERS) if (rest[name] !== "" && rest[name] !== null) how[name] = Number(rest[name]);
  const said = state.messages.filter((message) => message.content && !message.refused);
  if (!chats()) return ["completions", { ...how, prompt: said.map((each) => each.content).join(""), logprobs: ALTERNATIVES }];
  const messages = said.map(({ role, content }) => ({ role, content }));
  if (system.trim()) messages.unshift({ role: "system", content: system });
  return ["chat/completions", { ...how, messages, logprobs: true, top_logprobs: ALTERNATIVES }];
}

async function* events(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let held = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    held += value;
    const parts = held.split("\n\n");
    held = parts.pop();
    for (const part of parts) {
      if (!part.startsWith("data: ")) continue;
      if (part === "data: [DONE]") return;
      yield JSON.parse(part.slice(6));
    }
  }
}

async function answer() {
  const [path, body] = question();
  const message = { role: "assistant", content: "", base: !chats() };
  state.messages.push(message);
  running = new AbortController();
  $("empty").hidden = true;
  $("messages").replaceChildren(...state.messages.map(element));
  showState();
  toEnd(true);
  const seen = { entries: [], began: performance.now(), first: 0, count: 0 };
  try {
    await read(path, body, message, seen);
  } catch (error) {
    if (error.name === "AbortError") message.reason = "stopped";
    else message.error = error.sentence ?? (message.content ? words().broken : words().noServer);
  }
  finish(message, seen);
}

async function read(path, body, message, seen) {
  const asked = { method: "POST", headers: headers(), body: JSON.stringify(body), signal: running.signal };
  const response = await fetch(`/v1/${path}`, asked);
  if (!response.ok) throw await refusal(response);
  const box = $("messages").lastElementChild;
  let drawn = 0;
  for await (const chunk of events(response)) {
    if (chunk.error) throw { sentence: chunk.error.message };
    take(chunk, message, seen);
    const now = performance.now();
    if (now - drawn > 40) {
      drawn = now;
      showAnswer(box, message, true);
      toEnd();
    }
  }
}

function take(chunk, message, seen) {
  if (chunk.usage) seen.count = chunk.usage.completion_tokens;
  const choice = chunk.choices[0];
  if (!choice) return;
  const text = choice.text ?? choice.delta.content ?? "";
  if (text && !seen.first) seen.first = performance.now();
  message.content += text;
  seen.entries.push(...(choice.logprobs?.content ?? columns(choice.logprobs)));
  if (choice.finish_reason) message.reason = choice.finish_reason;
}

// The entries of the older form of logprobs, which completions have.
function columns(logs) {
  const tops = logs?.top_logprobs ?? [];
  return (logs?.tokens ?? []).map((token, number) => ({
    token,
    bytes: logs.bytes?.[number],
    logprob: logs.token_logprobs[number],
    top_logprobs: Object.entries(tops[number] ?? {}).map(([name, logprob]) => ({ token: name, logprob })),
  }));
}

async function refusal(response) {
  if (response.status === 401) return { sentence: words().needKey };
  try {
    return { sentence: (await response.json()).error.message };
  } catch {
    return { sentence: words().noServer };
  }
}

function finish(message, seen) {
  running = null;
  message.tokens = whole(seen.entries);
  const count = seen.count || seen.entries.length;
  if (seen.first && count) {
    const seconds = (performance.now() - seen.first) / 1000;
    const speed = count > 1 && seconds > 0 ? ((count - 1) / seconds).toFixed(0) : "-";
    message.stats = { count, speed, first: ((seen.first - seen.began) / 1000).toFixed(2) };
  }
  keep();
  showMessages();
  showState();
  $("text").focus();
}

function send() {
  const text = $("text").value;
  if (running || !text.trim() || !writes()) return;
  dropFailed();
  state.messages.push({ role: "user", content: chats() ? text.trim() : text });
  $("text").value = "";
  grow();
  answer();
}

// An answer that failed before its first word leaves, and its question stays.
function dropFailed() {
  const last = state.messages.at(-1);
  if (last?.role === "assistant" && !last.content) state.messages.pop();
}

function again() {
  if (running || !writes()) return;
  if (state.messages.at(-1)?.role === "assistant") state.messages.pop();
  answer();
}

function grow() {
  const text = $("text");
  text.style.height = "auto";
  text.style.height = `${Math.min(text.scrollHeight + 2, innerHeight * 0.4)}px`;
}

// ---- beginning

async function load() {
  try {
    const response = await fetch("/v1/models", { headers: headers() });
    if (!response.ok) throw await refusal(response);
    models = (await response.json()).data;
    $("hint").classList.remove("error");
  } catch (error) {
    $("hint").textContent = error.sentence ?? words().noServer;
    $("hint").classList.add("error");
    return;
  }
  if (!chosen()) state.model = (models.find((each) => each.abilities.includes("completions")) ?? models[0])?.id ?? null;
  $("model").replaceChildren(...models.map((each) => new Option(each.id, each.id, false, each.id === state.model)));
  say();
}

function listen() {
  $("composer").addEventListener("submit", (event) => {
    event.preventDefault();
    if (running) running.abort();
    else send();
  });
  $("text").addEventListener("keydown", (event) => {
    const composing = event.isComposing || event.keyCode === 229; // Safari says 229 for the Enter that ends it
    if (event.key !== "Enter" || event.shiftKey || composing) return;
    event.preventDefault();
    if (!running) send();
  });
  $("text").addEventListener("input", () => (grow(), showState()));
  addEventListener("keydown", (event) => event.key === "Escape" && running?.abort());
  $("fresh").addEventListener("click", () => {
    running?.abort();
    state.messages = [];
    keep();
    say();
    $("text").focus();
  });
  $("tune").addEventListener("click", () => {
    const open = $("settings").toggleAttribute("hidden") === false;
    $("tune").setAttribute("aria-expanded", open);
  });
  $("language").addEventListener("click", () => {
    state.language = state.language === "zh" ? "en" : "zh";
    keep();
    say();
  });
  $("model").addEventListener("change", () => {
    state.model = $("model").value;
    keep();
    showState();
  });
  for (const name of Object.keys(USUAL))
    $(name).addEventListener("input", () => {
      state.settings[name] = $(name).value;
      keep();
      showSettings();
    });
  $("key").addEventListener("change", () => {
    sessionStorage.setItem("hornbook.key", $("key").value.trim());
    load();
  });
  $("usual").addEventListener("click", () => {
    state.settings = { ...USUAL };
    keep();
    showSettings();
  });
}

listen();
showSettings();
say();
grow();
load();
