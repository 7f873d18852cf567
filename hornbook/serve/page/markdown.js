// Markdown as elements of the page. A text becomes text nodes and never HTML, so nothing a model writes can run.
//
// Known: headings, paragraphs, lists inside one another, quotes, tables, rules, fenced code (an open fence too, while it
// is still being written), `code`, bold, italic, struck out, links to http, https and mailto. All else stays text.

const FENCE = /^ {0,3}(`{3,}|~{3,})\s*([\w+#.-]*)[^`]*$/;
const ITEM = /^( *)([-*+]|\d{1,9}[.)])\s+(.*)$/;
const ROW = /^\s*\|?(.*?)\|?\s*$/;
const LINE_OF_TABLE = /^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$/;
const RULE = /^ {0,3}([-*_])( *\1){2,}\s*$/;
const INLINE = new RegExp(
  [
    "\\\\([\\\\`*_{}\\[\\]()#+.!|~>-])", // 1: an escaped sign
    "(`+)([^]*?[^`])\\2(?!`)", // 2, 3: code
    "\\*\\*(?=\\S)([^]*?\\S)\\*\\*", // 4: bold
    "__(?=\\S)([^]*?\\S)__(?!\\w)", // 5: bold
    "\\*(?=[^\\s*])([^*]*[^\\s*])\\*", // 6: italic
    "(?<!\\w)_(?=[^\\s_])([^_]*[^\\s_])_(?!\\w)", // 7: italic
    "~~(?=\\S)([^]*?\\S)~~", // 8: struck out
    "!?\\[([^\\]]*)\\]\\(\\s*([^\\s()]*(?:\\([^\\s()]*\\)[^\\s()]*)*)[^)]*\\)", // 9, 10: a link
    "(https?:\\/\\/[^\\s<>\"'`（）。，、；：！？」』】]+[^\\s<>\"'`（）。，、；：！？」』】.,;:!?)\\]*_])", // 11: an address
  ].join("|"),
  "g",
);

export function render(text, words = { copy: "Copy", copied: "Copied" }) {
  const page = document.createDocumentFragment();
  blocks(text.replace(/\r\n?/g, "\n").split("\n"), page, words);
  return page;
}

function blocks(lines, parent, words) {
  let at = 0;
  while (at < lines.length) {
    const line = lines[at];
    if (!line.trim()) at += 1;
    else if (FENCE.test(line)) at = code(lines, at, parent, words);
    else if (/^ {0,3}#{1,6}\s/.test(line)) at = heading(lines, at, parent);
    else if (RULE.test(line)) at = (parent.append(make("hr")), at + 1);
    else if (/^ {0,3}>/.test(line)) at = quote(lines, at, parent, words);
    else if (ITEM.test(line)) at = list(lines, at, parent, words);
    else if (line.includes("|") && LINE_OF_TABLE.test(lines[at + 1] ?? "") && lines[at + 1].includes("-"))
      at = table(lines, at, parent);
    else at = paragraph(lines, at, parent);
  }
}

function code(lines, at, parent, words) {
  const [, fence, language] = FENCE.exec(lines[at]);
  const end = new RegExp(`^ {0,3}${fence[0] === "~" ? "~" : "`"}{${fence.length},}\\s*$`);
  let last = at + 1;
  while (last < lines.length && !end.test(lines[last])) last += 1;
  const content = lines.slice(at + 1, last).join("\n");
  const box = make("div", "code");
  const copy = make("button", "copy", words.copy);
  copy.type = "button";
  copy.addEventListener("click", () => copyText(content, copy, words));
  const head = make("div", "head");
  head.append(make("span", "", language), copy);
  const body = make("pre");
  body.append(make("code", "", content));
  box.append(head, body);
  parent.append(box);
  return last + 1;
}

export async function copyText(text, button, words) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const field = make("textarea", "", text); // pages that are not from localhost or https have no clipboard
    document.body.append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
  }
  button.textContent = words.copied;
  setTimeout(() => (button.textContent = words.copy), 1500);
}

function heading(lines, at, parent) {
  const [, marks, text] = /^ {0,3}(#{1,6})\s+(.*?)\s*#*\s*$/.exec(lines[at]) ?? [, "#", ""];
  const element = make(`h${Math.min(6, marks.length + 2)}`);
  inline(text, element);
  parent.append(element);
  return at + 1;
}

function quote(lines, at, parent, words) {
  let last = at;
  while (last < lines.length && /^ {0,3}>/.test(lines[last])) last += 1;
  const element = make("blockquote");
  blocks(lines.slice(at, last).map((line) => line.replace(/^ {0,3}> ?/, "")), element, words);
  parent.append(element);
  return last;
}

function list(lines, at, parent, words) {
  const [, margin, mark] = ITEM.exec(lines[at]);
  const numbered = /\d/.test(mark);
  const element = make(numbered ? "ol" : "ul");
  if (numbered && parseInt(mark) !== 1) element.start = parseInt(mark);
  while (at < lines.length) {
    const item = ITEM.exec(lines[at]);
    if (!item || item[1].length !== margin.length || /\d/.test(item[2]) !== numbered || RULE.test(lines[at])) break;
    const inside = [item[3]];
    at += 1;
    while (at < lines.length && belongs(lines, at, margin.length)) {
      inside.push(lines[at]);
      at += 1;
    }
    const entry = make("li");
    blocks(outdented(inside), entry, words);
    const only = entry.children.length === 1 || entry.children[1]?.matches("ul, ol") ? entry.firstElementChild : null;
    if (only?.matches("p")) only.replaceWith(...only.childNodes); // an entry of one paragraph stands close
    element.append(entry);
  }
  parent.append(element);
  return at;
}

// Whether a line goes on with the item of a list: it stands further in, or is a line of the same paragraph.
function belongs(lines, at, margin) {
  const line = lines[at];
  const indent = line.search(/\S/);
  if (indent > margin) return true;
  if (indent < 0) return (lines[at + 1] ?? "").search(/\S/) > margin;
  return Boolean(lines[at - 1].trim()) && !ITEM.test(line) && !FENCE.test(line) && !/^ {0,3}(#|>|\|)/.test(line);
}

function outdented(lines) {
  const indents = lines.slice(1).filter((line) => line.trim()).map((line) => line.search(/\S/));
  const least = indents.length ? Math.min(...indents) : 0;
  return lines.map((line, number) => (number ? line.slice(Math.min(least, Math.max(0, line.search(/\S/)))) : line));
}

function table(lines, at, parent) {
  const element = make("table");
  const sides = cells(lines[at + 1]).map((mark) => (/^:-+:$/.test(mark) ? "center" : /-:$/.test(mark) ? "right" : ""));
  const row = (line, kind) => {
    const entry = make("tr");
    const found = cells(line);
    sides.forEach((side, number) => {
      const cell = make(kind, side);
      inline(found[number] ?? "", cell);
      entry.append(cell);
    });
    return entry;
  };
  const head = make("thead");
  head.append(row(lines[at], "th"));
  const body = make("tbody");
  at += 2;
  while (at < lines.length && lines[at].includes("|")) body.append(row(lines[at++], "td"));
  element.append(head, body);
  const box = make("div", "scroll");
  box.append(element);
  parent.append(box);
  return at;
}

function cells(line) {
  return ROW.exec(line)[1].split(/(?<!\\)\|/).map((cell) => cell.replace(/\\\|/g, "|").trim());
}

function paragraph(lines, at, parent) {
  const found = [];
  const ends = (line) => !line.trim() || FENCE.test(line) || RULE.test(line) || /^ {0,3}(#{1,6}\s|>)/.test(line);
  while (at < lines.length && (!found.length || (!ends(lines[at]) && !/^ {0,3}([-*+]|1[.)])\s/.test(lines[at]))))
    found.push(lines[at++]);
  const element = make("p");
  found.forEach((line, number) => {
    if (number) element.append(make("br"));
    inline(line.trim(), element);
  });
  parent.append(element);
  return at;
}

function inline(text, parent, depth = 0) {
  let done = 0;
  for (const match of text.matchAll(INLINE)) {
    const [whole, escaped, , literal, bold, bold2, italic, italic2, struck, label, target, address] = match;
    parent.append(text.slice(done, match.index));
    done = match.index + whole.length;
    if (escaped) parent.append(escaped);
    else if (literal !== undefined) parent.append(make("code", "", literal.replace(/^ (.*) $/, "$1")));
    else if (address) parent.append(link(address, address));
    else if (label !== undefined) parent.append(link(label || target, target) ?? whole);
    else {
      const element = make(bold ?? bold2 ? "strong" : struck ? "s" : "em");
      const inner = bold ?? bold2 ?? italic ?? italic2 ?? struck;
      if (depth < 5) inline(inner, element, depth + 1);
      else element.append(inner);
      parent.append(element);
    }
  }
  parent.append(text.slice(done));
}

function link(label, target) {
  if (!/^(https?:\/\/|mailto:)/i.test(target)) return null;
  const element = make("a", "", label);
  element.href = target;
  element.target = "_blank";
  element.rel = "noopener noreferrer";
  return element;
}

export function make(name, kind = "", text = "") {
  const element = document.createElement(name);
  if (kind) element.className = kind;
  if (text) element.textContent = text;
  return element;
}
