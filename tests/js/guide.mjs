// Opens the complete page of the guide as a file, renders its React component, and tells what they show:
// node guide.mjs FILE CHROMIUM COMPONENT
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const [file, executablePath, component] = process.argv.slice(2);
const REACT = {
  react: "react/cjs/react.production.js",
  "react/jsx-runtime": "react/cjs/react-jsx-runtime.production.js",
  "react-dom": "react-dom/cjs/react-dom.production.js",
  "react-dom/client": "react-dom/cjs/react-dom-client.production.js",
  scheduler: "scheduler/cjs/scheduler.production.js",
};
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"] });
const page = await browser.newPage();
const complaints = [];
page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
page.on("pageerror", (error) => complaints.push(error.message));

/** What the page shows once it has loaded. */
async function shown() {
  await page.waitForFunction(() => /decision/.test(document.querySelector("#told").textContent));
  const cells = await page.locator("#approvals tr").evaluateAll((rows) => rows.map((row) => [...row.cells].map((cell) => cell.textContent)));
  return { told: await page.locator("#told").textContent(), rows: cells.length, cells };
}

/** The React component in a page of its own, with the CommonJS modules that npm has of React: what it lists. */
async function rendered() {
  const files = { ...Object.fromEntries(Object.entries(REACT).map(([name, path]) => [name, join(import.meta.dirname, "node_modules", path)])), app: component };
  const modules = Object.entries(files).map(([name, path]) => `${JSON.stringify(name)}(module, exports, require) {${readFileSync(path, "utf8")}\n}`);
  const script = `const modules = {${modules.join(",")}};
    const made = {};
    const require = (name) => {
      if (!made[name]) modules[name]((made[name] = { exports: {} }), made[name].exports, require);
      return made[name].exports;
    };
    require("react-dom/client").createRoot(document.body).render(require("react/jsx-runtime").jsx(require("app").default, {}));`;
  await page.setContent("<!doctype html><title>React</title>");
  await page.addScriptTag({ content: script });
  const list = page.locator("li");
  await list.filter({ hasText: "chronic-migraine" }).first().waitFor();
  const first = await list.allInnerTexts();
  await page.locator("option[value=abobotulinumtoxina]").waitFor({ state: "attached" });
  await page.locator("select").selectOption("abobotulinumtoxina");
  await page.waitForFunction((before) => document.querySelector("li")?.innerText !== before, first[0]);
  return { first, chosen: await list.allInnerTexts(), alerts: await page.locator("[role=alert]").count(), complaints: complaints.slice(told.complaints.length + 1) };
}

await page.goto(pathToFileURL(file).href);
const first = await shown();
const treatments = await page.locator("#treatment option").count();
await page.locator("#treatment").selectOption("onabotulinumtoxina");
await page.waitForFunction(() => /migraine/.test(document.querySelector("#approvals").textContent));
const chosen = await shown();
const told = { first, treatments, chosen, complaints: [...complaints] };
await page.evaluate(() => {
  const choice = document.querySelector("#treatment");
  choice.add(new Option("not an id", "Not An Id"));
  choice.value = "Not An Id";
  choice.dispatchEvent(new Event("change"));
});
await page.waitForFunction(() => !/Loading|decision/.test(document.querySelector("#told").textContent));
told.wrong = await page.locator("#told").textContent();
told.react = await rendered();
await browser.close();
console.log(JSON.stringify(told));
