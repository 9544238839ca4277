// Completes what is typed, as the combobox of the ARIA Authoring Practices does; the form works without this.
const form = document.querySelector("form.search");
const field = form.elements.q;
const list = Object.assign(document.createElement("ul"), { id: "search_options", role: "listbox", hidden: true });
const PAGES = ["treatments", "conditions"]; // what is suggested and has a page; a search finds the rest
let found = [];
let active = -1;
let timer;
let asked = new AbortController();

list.setAttribute("aria-label", "Suggestions");
for (const [name, value] of [["role", "combobox"], ["aria-autocomplete", "list"], ["aria-controls", list.id]]) field.setAttribute(name, value);
form.append(list);
show([]);

function show(items) {
  found = items;
  list.replaceChildren(...items.map(option));
  list.hidden = !items.length;
  field.setAttribute("aria-expanded", String(!list.hidden));
  activate(-1);
}

function option({ kind, name, label }, place) {
  const one = Object.assign(document.createElement("li"), { id: `search_option_${place}`, role: "option" });
  const about = document.createElement("small");
  about.textContent = [label === name ? "" : name, kind.replaceAll("-", " ").replace(/s$/, "")].filter(Boolean).join(" · ");
  one.append(label, about);
  one.addEventListener("click", () => choose(place));
  return one;
}

function activate(place) {
  active = place;
  [...list.children].forEach((one, at) => one.setAttribute("aria-selected", String(at === place)));
  list.children[place]?.scrollIntoView({ block: "nearest" });
  if (place < 0) field.removeAttribute("aria-activedescendant");
  else field.setAttribute("aria-activedescendant", list.children[place].id);
}

function choose(place) {
  const { kind, id, label } = found[place];
  const release = form.elements.release ? `?release=${form.elements.release.value}` : "";
  field.value = label;
  show([]);
  if (PAGES.includes(kind)) location.assign(`/${kind}/${id}${release}`);
  else form.requestSubmit();
}

function close() {
  clearTimeout(timer);
  asked.abort();
  show([]);
}

async function suggest() {
  asked.abort();
  asked = new AbortController();
  try {
    const address = new URLSearchParams(new FormData(form));
    const answer = await fetch(`/v1/suggest?${address}`, { signal: asked.signal });
    show(answer.ok ? (await answer.json()).items : []);
  } catch (error) {
    if (error.name !== "AbortError") show([]); // without suggestions the form still searches
  }
}

field.addEventListener("input", () => {
  clearTimeout(timer);
  if (field.value.trim().length < 2) close();
  else timer = setTimeout(suggest, 120);
});
field.addEventListener("keydown", (event) => {
  if (event.isComposing || list.hidden) return;
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step) activate(((active + 1 + step + found.length + 1) % (found.length + 1)) - 1); // the field is one of the stops
  else if (event.key === "Enter" && active >= 0) choose(active);
  else if (event.key === "Escape") close();
  else return;
  event.preventDefault();
});
field.addEventListener("blur", close);
form.addEventListener("submit", close);
list.addEventListener("mousedown", (event) => event.preventDefault()); // the field keeps the focus
