// The builder works without this: it finds records by words, adds buttons that copy, and shows at once what was picked.
import { combobox, items, spoken } from "./combobox.js";

const form = document.querySelector("#builder");
const { kind, treatment, release, id } = form.elements;
combobox(id, {
  ask(signal) {
    if (kind.value === "syntheses") return []; // they have no words: their permalink is pasted
    const asked = new URLSearchParams({ q: id.value, limit: 8, kind: kind.value });
    if (release.value) asked.set("release", release.value);
    if (kind.value === "treatments") return items(`/v1/suggest?${asked}`, signal);
    if (/[\p{L}\p{N}]$/u.test(id.value)) asked.set("q", `${id.value}*`); // the last word may go on
    asked.set("fields", "id,title,kind");
    if (treatment.value) asked.set("treatment", treatment.value);
    return items(`/v1/search?${asked}`, signal);
  },
  say: (found) => [found.title ?? found.label, `${found.id} · ${spoken(found.kind)}`],
  choose(found) {
    id.value = found.id;
    form.requestSubmit();
  },
});
form.addEventListener("change", ({ target }) => {
  if (target === id) return; // words are completed, and an id goes with Enter
  if (target === kind || target === treatment) id.value = "";
  form.requestSubmit();
});
addEventListener("message", ({ origin, source, data }) => {
  const frame = document.querySelector(".preview iframe");
  const height = data?.treatmentEvidence;
  if (origin === location.origin && source === frame?.contentWindow && height > 0) frame.height = height;
});
for (const line of document.querySelectorAll(".line")) {
  const text = line.querySelector("textarea");
  const button = Object.assign(document.createElement("button"), { type: "button", textContent: "Copy" });
  const told = document.createElement("span");
  told.setAttribute("role", "status");
  told.className = "quiet";
  button.addEventListener("click", async () => {
    text.select();
    try {
      await navigator.clipboard.writeText(text.value);
      told.textContent = " Copied";
    } catch {
      told.textContent = " Selected: press Ctrl+C or ⌘C";
    }
  });
  text.addEventListener("focus", () => text.select());
  line.append(button, told);
}
