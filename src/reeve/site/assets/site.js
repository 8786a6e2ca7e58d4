"use strict";
// Search, folding, copying, dark mode. Without scripts every page can still be read.
const root = document.body.dataset.root, html = document.documentElement;
const make = (name, properties) => Object.assign(document.createElement(name), properties);

// Dark mode: the system's until somebody chooses.
const theme = document.getElementById("theme");
const stored = () => { try { return localStorage.getItem("reeve-theme"); } catch { return null; } };
const isDark = () => (html.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
const named = () => { theme.textContent = isDark() ? "Light" : "Dark"; };
if (stored()) html.dataset.theme = stored();
theme.hidden = false; named();
theme.addEventListener("click", () => {
  html.dataset.theme = isDark() ? "light" : "dark";
  try { localStorage.setItem("reeve-theme", html.dataset.theme); } catch { /* it lasts for this page */ }
  named();
});

// Search: the index is loaded when it is first asked for.
const input = document.getElementById("search"), found = document.getElementById("found");
input.parentElement.hidden = false;
let index = null, selected = -1;
const load = () => {
  if (index) return;
  index = [];
  const script = make("script", { src: `${root}assets/search-index.js` });
  script.addEventListener("load", () => {
    index = window.REEVE_INDEX.map(([address, title, kind, words, link]) => ({ address, link: link ?? address.split("/").filter(Boolean).map(encodeURIComponent).join("/") + "/", title, kind, text: `${title} ${address} ${words} ${kind}`.toLowerCase(), low: title.toLowerCase() }));
    search();
  });
  document.head.append(script);
};
const KINDS = { Policy: 0, Framework: 1, Folder: 2, Type: 3, Section: 4 };
const rank = (entry, words) => {
  if (!words.every(word => entry.text.includes(word))) return null;
  const starts = entry.low.split(/[\s/]+/);
  const exact = words.filter(word => starts.includes(word)).length, within = words.filter(word => entry.low.includes(word)).length;
  return -4 * exact - 2 * within + (KINDS[entry.kind] ?? 5) / 2 - (entry.low === words.join(" ") ? 10 : 0) + entry.low.length / 500;
};
const search = () => {
  const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
  const hits = words.length ? index.map(entry => [rank(entry, words), entry]).filter(pair => pair[0] !== null).sort((a, b) => a[0] - b[0]).slice(0, 30) : [];
  selected = -1;
  found.replaceChildren(...hits.map(([, entry], number) => {
    const item = make("li", { id: `hit-${number}` });
    item.setAttribute("role", "option"); item.setAttribute("aria-selected", "false");
    item.dataset.to = root + entry.link;
    item.append(entry.title, make("small", { textContent: `${entry.kind} · ${entry.address}` }));
    item.addEventListener("mousedown", event => { event.preventDefault(); location.href = item.dataset.to; });
    return item;
  }));
  if (words.length && !hits.length && index.length) found.append(make("li", { textContent: "Nothing found." }));
  found.hidden = !words.length; input.setAttribute("aria-expanded", String(!found.hidden)); input.removeAttribute("aria-activedescendant");
};
const choose = step => {
  const items = [...found.querySelectorAll("[role=option]")];
  if (!items.length) return;
  items[selected]?.setAttribute("aria-selected", "false");
  selected = (selected + step + items.length) % items.length;
  items[selected].setAttribute("aria-selected", "true"); items[selected].scrollIntoView({ block: "nearest" });
  input.setAttribute("aria-activedescendant", items[selected].id);
};
input.addEventListener("focus", load); input.addEventListener("input", () => { load(); search(); });
input.addEventListener("blur", () => { found.hidden = true; input.setAttribute("aria-expanded", "false"); });
input.addEventListener("keydown", event => {
  if (event.key === "ArrowDown" || event.key === "ArrowUp") { event.preventDefault(); choose(event.key === "ArrowDown" ? (selected < 0 ? 1 : 1) : -1); }
  else if (event.key === "Escape") { input.value = ""; search(); input.blur(); }
  else if (event.key === "Enter") { const item = found.querySelectorAll("[role=option]")[Math.max(selected, 0)]; if (item) location.href = item.dataset.to; }
});
document.addEventListener("keydown", event => {
  if (event.key === "/" && !/^(input|textarea|select)$/i.test(event.target.tagName)) { event.preventDefault(); input.focus(); }
});

// Copy buttons on code.
for (const block of document.querySelectorAll("pre")) {
  const code = block.textContent, button = make("button", { type: "button", className: "copy", textContent: "Copy" });
  button.addEventListener("click", async () => { await navigator.clipboard.writeText(code); button.textContent = "Copied"; });
  block.append(button);
}

// Long texts fold.
for (const text of document.querySelectorAll(".long")) {
  const button = make("button", { type: "button", className: "more", textContent: "… see more" });
  button.setAttribute("aria-controls", text.id);
  const fold = folded => { text.classList.toggle("folded", folded); button.textContent = folded ? "… see more" : "see less"; button.setAttribute("aria-expanded", String(!folded)); };
  button.addEventListener("click", () => fold(!text.classList.contains("folded")));
  text.addEventListener("focusin", () => fold(false));
  text.after(button); fold(!(location.hash && text.querySelector(`[id="${CSS.escape(decodeURIComponent(location.hash.slice(1)))}"]`)));
}

// A framework's tree: filter and fold.
const tree = document.querySelector("[data-tree]");
if (tree) {
  document.querySelector(".tools").hidden = false;
  const filter = document.querySelector("[data-tree-filter]"), count = document.querySelector("[data-tree-count]");
  const items = [...tree.querySelectorAll("li")].reverse();
  const folds = open => { for (const one of tree.querySelectorAll("details")) one.open = open; };
  for (const button of document.querySelectorAll("[data-fold]")) button.addEventListener("click", () => folds(button.dataset.fold === "open"));
  filter.addEventListener("input", () => {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const item of items) {
      const own = words.every(word => item.dataset.name.includes(word));
      item.hidden = !(own || item.querySelector("li:not([hidden])")); shown += own;
    }
    if (words.length) folds(true);
    count.textContent = words.length ? `${shown} found` : "";
  });
}

// While the site is served by `reeve site serve`, a page reloads when it has changed.
if (document.body.dataset.live) {
  let known = null;
  setInterval(async () => {
    try {
      const version = await (await fetch(`${root}__version`)).text();
      if (known !== null && version !== known) location.reload();
      known = version;
    } catch { /* the server has stopped */ }
  }, 1000);
}
