// Drives a real browser over the service and prints, as one JSON document, what it saw: node browser.mjs URL CHROMIUM FOLDER
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { chromium } from "playwright-core";

const [baseUrl, executablePath, folder] = process.argv.slice(2);
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const PAGES = { landing: "/", problems: "/problems", problem: "/problems/invalid-parameter" };
const SIZES = { phone: { width: 320, height: 640 }, desk: { width: 1280, height: 800 } };
const SCHEMES = ["light", "dark"];
const OPERATION = "#operations-Treatments-get_treatment";
const RECORD = "onabotulinumtoxina";

const browser = await chromium.launch({
  executablePath,
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ],
});

/** Open a page in a fresh context, act on it, and tell what happened besides. */
async function visit(url, options, act) {
  const context = await browser.newContext({ reducedMotion: "reduce", ...options });
  context.setDefaultTimeout(30_000);
  const page = await context.newPage();
  const seen = { url, complaints: [], foreign: [], failed: [], requests: 0 };
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) seen.complaints.push(`${message.type()}: ${message.text()}`);
  });
  page.on("pageerror", (error) => seen.complaints.push(`thrown: ${error.message}`));
  page.on("request", (request) => {
    const asked = new URL(request.url());
    seen.requests += 1;
    if (asked.protocol !== "data:" && asked.origin !== new URL(url).origin) seen.foreign.push(request.url());
  });
  page.on("requestfailed", (request) => seen.failed.push(`${request.url()}: ${request.failure()?.errorText}`));
  page.on("response", (answer) => {
    if (answer.status() >= 400) seen.failed.push(`${answer.url()}: ${answer.status()}`);
  });
  await page.goto(url, { waitUntil: "load" });
  const told = await act(page);
  await context.close();
  return { ...seen, ...told };
}

const screenshot = (page, name) => page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });

/** The elements that stand out of the window to the right, and how wide the page became. */
const layout = (page) =>
  page.evaluate(() => {
    const width = document.documentElement.clientWidth;
    const scrolled = (element) => element.closest(".scroll, pre") !== null;
    const outside = [...document.body.querySelectorAll("*")]
      .filter((element) => !scrolled(element) && element.getBoundingClientRect().right > width + 0.5)
      .map((element) => `${element.tagName.toLowerCase()}: ${element.textContent.trim().slice(0, 60)}`);
    return { width, scrollWidth: document.documentElement.scrollWidth, outside };
  });

/** A page as it is without JavaScript, in each size and scheme. */
async function plainPage(name) {
  return visit(baseUrl + PAGES[name], { javaScriptEnabled: false }, async (page) => {
    const layouts = [];
    for (const [size, viewport] of Object.entries(SIZES)) {
      await page.setViewportSize(viewport);
      layouts.push({ size, ...(await layout(page)) });
      for (const colorScheme of SCHEMES) {
        await page.emulateMedia({ colorScheme });
        await screenshot(page, `${name}-${size}-${colorScheme}`);
      }
    }
    const marks = (await page.locator("body").innerText()).match(/`|<\/?\w+>|&\w+;/g) ?? [];
    return { scripts: await page.locator("script").count(), title: await page.title(), marks, layouts };
  });
}

/** What axe-core finds on a page, in each scheme. */
async function audit(name) {
  return visit(baseUrl + PAGES[name], { viewport: SIZES.desk }, async (page) => {
    await page.evaluate(axe);
    const violations = [];
    for (const colorScheme of SCHEMES) {
      await page.emulateMedia({ colorScheme });
      const found = await page.evaluate(() => window.axe.run());
      if (found.passes.length < 20) violations.push(`${colorScheme}: only ${found.passes.length} rules applied`);
      violations.push(...found.violations.map(({ id, nodes }) => `${colorScheme}: ${id}: ${nodes[0].html}`));
    }
    return { violations };
  });
}

/** Swagger UI as a newcomer uses it: see the groups, run one operation, and open all the rest, one after another. */
async function documentation() {
  return visit(`${baseUrl}/docs`, { viewport: SIZES.desk }, async (page) => {
    await page.locator(".opblock-tag").first().waitFor();
    await screenshot(page, "docs-desk-light");
    const executed = await execute(page);
    await page.locator(`${OPERATION} .opblock-summary-control`).click();
    const groups = await page.locator(".opblock-tag").evaluateAll((tags) => tags.map((tag) => tag.id));
    let operations = 0;
    for (const id of groups) {
      const tag = page.locator(`[id="${id}"]`);
      if ((await tag.getAttribute("data-is-open")) === "false") await tag.click();
      const listed = page.locator(".opblock-tag-section", { has: tag }).locator(".opblock");
      await listed.first().waitFor();
      operations += await listed.count();
      await tag.click(); // with everything open, Swagger UI holds only what is in view
    }
    return { groups: groups.length, operations, ...executed };
  });
}

/** Open the operation, fill in the id, press Execute, and read what Swagger UI shows of the answer. */
async function execute(page) {
  await page.locator("#operations-tag-Treatments").click();
  const operation = page.locator(OPERATION);
  await operation.locator(".opblock-summary-control").click();
  await operation.locator("tr[data-param-name=id] input").fill(RECORD);
  await operation.getByRole("button", { name: "Execute" }).click();
  const answer = operation.locator(".live-responses-table .response").first();
  const status = (await answer.locator(".response-col_status").innerText()).trim();
  const text = answer.locator(".response-col_description .highlight-code pre").first();
  const body = (await text.count()) ? await text.innerText() : null;
  await operation.screenshot({ path: join(folder, "docs-executed.png") });
  return { status, body };
}

/** The same, under another name of the same host. */
async function documentationByName() {
  return visit(`${baseUrl.replace("127.0.0.1", "localhost")}/docs`, { viewport: SIZES.desk }, execute);
}

/** Swagger UI in the dark, and on a phone. */
async function documentationShown() {
  return visit(`${baseUrl}/docs`, { viewport: SIZES.desk, colorScheme: "dark" }, async (page) => {
    await page.locator(".opblock-tag").first().waitFor();
    await screenshot(page, "docs-desk-dark");
    await page.setViewportSize(SIZES.phone);
    await screenshot(page, "docs-phone-dark");
    return { layouts: [{ size: "phone", ...(await layout(page)) }] };
  });
}

async function documentationWithoutScript() {
  return visit(`${baseUrl}/docs`, { viewport: SIZES.phone, javaScriptEnabled: false }, async (page) => {
    await screenshot(page, "docs-without-script");
    return { text: await page.locator("body").innerText() };
  });
}

const report = { plain: [], audits: [] };
for (const name of Object.keys(PAGES)) {
  report.plain.push(await plainPage(name));
  report.audits.push(await audit(name));
}
report.docs = await documentation();
report.docsByName = await documentationByName();
report.docsShown = await documentationShown();
report.docsWithoutScript = await documentationWithoutScript();
await browser.close();
console.log(JSON.stringify(report));
