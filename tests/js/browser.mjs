// Drives a real browser over the service and prints, as one JSON document, what it saw: node browser.mjs URL CHROMIUM FOLDER SYNTHESIS
import { join } from "node:path";
import { audit as audited, axe, baseUrl, browser, folder, layout, more, screenshot, shift, together, visit } from "./look.mjs";

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
  synthesis: `/syntheses/${more[0]}`,
  undecided: "/syntheses?treatment=onabotulinumtoxina&condition=chronic-low-back-pain&outcome=pain-relief-50",
};
const SIZES = { phone: { width: 320, height: 640 }, desk: { width: 1280, height: 800 } };
const SHOWN = { phone: "dark", desk: "light" }; // how each size is photographed
const OPERATION = "#operations-Treatments-get_treatment";
const STOPS = "a[href], button, select, input:not([type=hidden]), [tabindex='0']";
const RECORD = "onabotulinumtoxina";

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
    const moved = await shift(page);
    const unreached = await reached(page);
    const violations = [];
    for (const [size, viewport] of Object.entries(SIZES)) {
      await page.setViewportSize(viewport);
      violations.push(...(await audited(page)).map((one) => `${size}: ${one}`));
    }
    return { shift: moved, unreached, violations };
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
    await page.getByRole("combobox", { name: "Search the records" }).fill("dysphag");
    await options.first().click();
    await page.waitForURL(/search/);
    told.searched = new URL(page.url()).search;
    await page.getByRole("combobox", { name: "Search the records" }).fill("chronic neck pain");
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

const names = Object.keys(PAGES);
const others = { docs: documentation, docsByName: documentationByName, docsShown: documentationShown, docsWithoutScript: documentationWithoutScript, typing };
const told = await together([...Object.values(others), ...names.map((name) => () => plainPage(name)), ...names.map((name) => () => audit(name))]);
const report = Object.fromEntries(Object.keys(others).map((name, place) => [name, told[place]]));
const pages = told.slice(Object.keys(others).length);
await browser.close();
console.log(JSON.stringify({ ...report, plain: pages.slice(0, names.length), audits: pages.slice(names.length) }));
