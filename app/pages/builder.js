// The builder works without this: it adds buttons that copy, and shows at once what was picked.
const form = document.querySelector("#builder");
form.addEventListener("change", ({ target }) => {
  if (target.name === "kind" || target.name === "treatment") form.elements.id.value = "";
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
