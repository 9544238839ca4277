// Opens the complete page of the guide as a file and tells what it shows: node guide.mjs FILE CHROMIUM
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const [file, executablePath] = process.argv.slice(2);
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
await browser.close();
console.log(JSON.stringify(told));
