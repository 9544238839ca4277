// Drives a real browser over the service and prints, as one JSON document, what it saw: node browser.mjs URL CHROMIUM FOLDER
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { chromium } from "playwright-core";

const [baseUrl, executablePath, folder] = process.argv.slice(2);
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const PAGES = {
  landing: "/",
  problems: "/problems",
  problem: "/problems/invalid-parameter",
  treatments: "/treatments",
  claims: "/claims?verdict=contradicted",
  treatment: "/treatments/onabotulinumtoxina",
  condition: "/conditions/chronic-neck-pain",
  indication: "/indications/onabotulinumtoxina-chronic-migraine",
  claim: "/claims/c50",
  result: "/study-results/castelao-2017-dysphagia",
  source: "/sources/metropolmed-botox-neck-back-pain",
  search: "/search?q=botoks+migraine",
  guide: "/guide",
  chapter: "/guide/filtering",
  missing: "/treatments/onabotulinumtoxin",
};
const SIZES = { phone: { width: 320, height: 640 }, desk: { width: 1280, height: 800 } };
const SCHEMES = ["light", "dark"];
const SHOWN = { phone: "dark", desk: "light" }; // how each size is photographed
const OPERATION = "#operations-Treatments-get_treatment";
const STOPS = "a[href], button, select, input:not([type=hidden]), [tabindex='0']";
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
  context.setDefaultTimeout(90_000);
  const page = await context.newPage();
  const seen = { url, complaints: [], foreign: [], failed: [], requests: 0 };
  page.on("console", (message) => {
    const isStatus = message.location().url === url && message.text().startsWith("Failed to load resource");
    if (["error", "warning"].includes(message.type()) && !isStatus) seen.complaints.push(`${message.type()}: ${message.text()}`);
  });
  page.on("pageerror", (error) => seen.complaints.push(`thrown: ${error.message}`));
  page.on("request", (request) => {
    const asked = new URL(request.url());
    seen.requests += 1;
    if (asked.protocol !== "data:" && asked.origin !== new URL(url).origin) seen.foreign.push(request.url());
  });
  page.on("requestfailed", (request) => {
    if (request.url().includes("/v1/suggest?") && request.failure()?.errorText === "net::ERR_ABORTED") return; // typed on
    seen.failed.push(`${request.url()}: ${request.failure()?.errorText}`);
  });
  page.on("response", (answer) => {
    const isPage = answer.url() === url; // a page may say calmly that something is missing
    if (answer.status() >= 400 && !isPage) seen.failed.push(`${answer.url()}: ${answer.status()}`);
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

/** A page as it is without JavaScript, in each size. */
async function plainPage(name) {
  return visit(baseUrl + PAGES[name], { javaScriptEnabled: false }, async (page) => {
    const layouts = [];
    for (const [size, viewport] of Object.entries(SIZES)) {
      await page.setViewportSize(viewport);
      layouts.push({ size, ...(await layout(page)) });
      const colorScheme = SHOWN[size];
      await page.emulateMedia({ colorScheme });
      await screenshot(page, `${name}-${size}-${colorScheme}`);
    }
    const texts = await page.locator("body :not(pre, pre *)").evaluateAll((all) => all.flatMap((one) => [...one.childNodes].filter((node) => node.nodeType === 3).map((node) => node.data)));
    const marks = texts.join("\n").match(/`|<\/?\w+>|&\w+;/g) ?? [];
    const scripts = await page.locator("script:not([type='application/ld+json'], [src^='/assets/search.'])").count();
    return { scripts, title: await page.title(), marks, layouts };
  });
}

/** What axe-core finds on a page, in each size and scheme; how far its content moved; and what the Tab key reaches. */
async function audit(name) {
  return visit(baseUrl + PAGES[name], { viewport: SIZES.desk }, async (page) => {
    const shift = await page.evaluate(
      () =>
        new Promise((resolve) => {
          let moved = 0;
          new PerformanceObserver((list) => list.getEntries().forEach((entry) => (moved += entry.value))).observe({
            type: "layout-shift",
            buffered: true,
          });
          requestAnimationFrame(() => requestAnimationFrame(() => resolve(moved)));
        }),
    );
    const unreached = await reached(page);
    await page.evaluate(axe);
    const violations = [];
    for (const [size, viewport] of Object.entries(SIZES)) {
      await page.setViewportSize(viewport);
      for (const colorScheme of SCHEMES) {
        await page.emulateMedia({ colorScheme });
        const rules = colorScheme === "light" ? {} : { runOnly: ["color-contrast"] }; // the one that depends on colours
        const found = await page.evaluate((options) => window.axe.run(options), rules);
        if (found.passes.length < (colorScheme === "light" ? 20 : 1)) violations.push(`${size}: ${colorScheme}: only ${found.passes.length} rules applied`);
        violations.push(...found.violations.map(({ id, nodes }) => `${size}: ${colorScheme}: ${id}: ${nodes[0].html}`));
      }
    }
    const cookies = (await page.context().cookies()).length;
    return { shift, unreached, violations, cookies };
  });
}

/** The links and fields that the Tab key passes over, or that show no outline when it stops there. */
async function reached(page) {
  const wanted = await page.locator(STOPS).count();
  const wrong = [];
  for (let step = 0; step < Math.min(wanted, 40); step += 1) {
    await page.keyboard.press("Tab");
    const stop = await page.evaluate((stops) => {
      const one = document.activeElement;
      const all = [...document.querySelectorAll(stops)];
      return { place: all.indexOf(one), outline: getComputedStyle(one).outlineStyle, html: one.outerHTML.slice(0, 80) };
    }, STOPS);
    if (stop.place !== step || stop.outline === "none") wrong.push(`${step}: ${stop.html}`);
  }
  return wrong;
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

/** The search box of a page: what is suggested, how the keys move in it, where a choice leads, and what moved meanwhile. */
async function typing() {
  return visit(`${baseUrl}/claims`, { viewport: SIZES.phone }, async (page) => {
    const field = page.getByRole("combobox", { name: "Search the records" });
    const state = () => field.evaluate((one) => [one.getAttribute("aria-expanded"), document.getElementById(one.getAttribute("aria-activedescendant"))?.textContent ?? null]);
    const options = page.locator("#q_options [role=option]");
    const heading = () => page.locator("h1").boundingBox();
    const told = { before: await state(), headings: [await heading()] };
    await field.pressSequentially("boto");
    await options.first().waitFor();
    told.headings.push(await heading());
    told.options = await options.allInnerTexts();
    told.opened = await state();
    await page.keyboard.press("ArrowDown");
    told.down = await state();
    await page.evaluate(axe);
    told.violations = (await page.evaluate(() => window.axe.run())).violations.map(({ id, nodes }) => `${id}: ${nodes[0].html}`);
    told.layout = await layout(page);
    await screenshot(page, "search-typing");
    await page.keyboard.press("ArrowUp");
    told.up = await state();
    await page.keyboard.press("Escape");
    told.escaped = [await state(), await field.inputValue()];
    await field.pressSequentially("x");
    await options.first().waitFor();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await page.waitForURL(/treatments/);
    told.chosen = new URL(page.url()).pathname;
    await page.getByRole("combobox").fill("dysphag");
    await options.first().click();
    await page.waitForURL(/search/);
    told.searched = new URL(page.url()).search;
    await page.getByRole("combobox").fill("chronic neck pain");
    await page.keyboard.press("Enter");
    await page.waitForURL(/neck/);
    told.submitted = new URL(page.url()).search;
    return told;
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
report.typing = await typing();
report.docs = await documentation();
report.docsByName = await documentationByName();
report.docsShown = await documentationShown();
report.docsWithoutScript = await documentationWithoutScript();
await browser.close();
console.log(JSON.stringify(report));
