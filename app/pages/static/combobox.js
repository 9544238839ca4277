// Completes what is typed into a field, as the combobox of the ARIA Authoring Practices does: `ask` finds what may be
// meant, `say` tells one of it in two texts, and `choose` takes it. Where nothing is found the field is a plain one.
export function combobox(field, { ask, say, choose }) {
  const list = Object.assign(document.createElement("ul"), { id: `${field.name}_options`, role: "listbox", hidden: true });
  let found = [];
  let active = -1;
  let timer;
  let asked = new AbortController();

  function show(items) {
    found = items;
    list.replaceChildren(...items.map(option));
    list.hidden = !items.length;
    field.setAttribute("aria-expanded", String(!list.hidden));
    activate(-1);
  }

  function option(item, place) {
    const one = Object.assign(document.createElement("li"), { id: `${field.name}_option_${place}`, role: "option" });
    const about = document.createElement("small");
    const [text, more] = say(item);
    about.textContent = more;
    one.append(text, about);
    one.addEventListener("click", () => take(place));
    return one;
  }

  function activate(place) {
    active = place;
    [...list.children].forEach((one, at) => one.setAttribute("aria-selected", String(at === place)));
    list.children[place]?.scrollIntoView({ block: "nearest" });
    if (place < 0) field.removeAttribute("aria-activedescendant");
    else field.setAttribute("aria-activedescendant", list.children[place].id);
  }

  function take(place) {
    const item = found[place];
    show([]);
    choose(item);
  }

  function close() {
    clearTimeout(timer);
    asked.abort();
    show([]);
  }

  async function complete() {
    asked.abort();
    asked = new AbortController();
    try {
      show(await ask(asked.signal));
    } catch (error) {
      if (error.name !== "AbortError") show([]); // without suggestions the form still works
    }
  }

  field.addEventListener("input", () => {
    clearTimeout(timer);
    if (field.value.trim().length < 2) close();
    else timer = setTimeout(complete, 120);
  });
  field.addEventListener("keydown", (event) => {
    if (event.isComposing || list.hidden) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) activate(((active + 1 + step + found.length + 1) % (found.length + 1)) - 1); // the field is one of the stops
    else if (event.key === "Enter" && active >= 0) take(active);
    else if (event.key === "Escape") close();
    else return;
    event.preventDefault();
  });
  field.addEventListener("blur", close);
  field.form.addEventListener("submit", close);
  list.addEventListener("mousedown", (event) => event.preventDefault()); // the field keeps the focus
  list.setAttribute("aria-label", "Suggestions");
  for (const [name, value] of [["role", "combobox"], ["aria-autocomplete", "list"], ["aria-controls", list.id]]) field.setAttribute(name, value);
  field.after(list);
  show([]);
}

/** What the API answers to an address, as a list. */
export async function items(address, signal) {
  const answer = await fetch(address, { signal });
  return answer.ok ? (await answer.json()).items : [];
}

/** A word of a closed list as people read it: `study result`. */
export const spoken = (kind) => kind.replaceAll("-", " ").replace(/s$/, "");
