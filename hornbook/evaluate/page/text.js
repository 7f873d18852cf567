"use strict";
// Markdown as text that is easy to read: titles, lists and code are set apart, nothing is a link, a picture or HTML.
// Every piece goes into the page as text, so nothing a model writes can do anything there.

function element(name, fields, ...children) {
  const made = Object.assign(document.createElement(name), fields);
  made.append(...children);
  return made;
}

function inline(line) {  // **bold** and `code`; all other signs stay as they are
  return line.split(/(\*\*[^*\n]+\*\*|`[^`\n]+`)/).map((piece) => {
    if (/^\*\*[^*]+\*\*$/.test(piece)) return element("strong", { textContent: piece.slice(2, -2) });
    if (/^`[^`]+`$/.test(piece)) return element("code", { textContent: piece.slice(1, -1) });
    return piece;
  });
}

function blocks(text) {
  const found = [];
  let code = null, prose = [];
  const flush = () => {
    if (prose.length) found.push(element("p", { dir: "auto" }, ...inline(prose.join("\n"))));
    prose = [];
  };
  for (const line of text.replace(/\r\n?/g, "\n").split("\n")) {
    if (/^\s*(```|~~~)/.test(line)) {
      flush();
      if (code !== null) { found.push(element("pre", { textContent: code.join("\n") })); code = null; } else code = [];
    } else if (code !== null) code.push(line);
    else if (!line.trim()) flush();
    else if (/^\s*#{1,6}\s+/.test(line)) {
      flush();
      found.push(element("p", { className: "title", dir: "auto" }, ...inline(line.replace(/^\s*#+\s+/, ""))));
    } else if (/^\s*([-*+•]|\d{1,3}[.)])\s+/.test(line)) {
      flush();
      const [, sign, said] = line.match(/^\s*(\S+)\s+(.*)$/) ?? [null, "•", ""];
      const mark = element("span", { textContent: /\d/.test(sign) ? sign : "•" });
      const item = element("p", { className: "list", dir: "auto" }, mark, ...inline(said));
      item.style.marginLeft = `${Math.min(line.search(/\S/), 8) * 0.5}em`;
      found.push(item);
    } else prose.push(line);
  }
  flush();
  if (code !== null) found.push(element("pre", { textContent: code.join("\n") }));
  return found;
}
