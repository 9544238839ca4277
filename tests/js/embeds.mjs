// Drives a real browser over embeds, as themselves and in other people's pages, and prints what it saw as JSON:
// node embeds.mjs URL CHROMIUM FOLDER RELEASE SYNTHESIS JOINED
import { audit, baseUrl, browser, folder, HOST, layout, more, SCHEMES, screenshot as shot, shift, together, visit as look } from "./look.mjs";

const [release, synthesis, joined] = more;
const CARDS = {
  treatment: "treatments/onabotulinumtoxina",
  indication: "indications/onabotulinumtoxina-chronic-migraine",
  claim: "claims/c20",
  result: "study-results/langevin-2011-pain-week-4",
  unknown: "claims/made-up-none",
  retracted: "claims/made-up-attack",
  synthesis: `syntheses/${joined}`,
};
const ATTACKED = [...["treatments", "indications", "claims", "study-results"].map((plural) => `${plural}/made-up-attack`), `syntheses/${synthesis}`];
const PAGES = [...ATTACKED, "conditions/made-up-attack", "sources/made-up-attack", "treatments", "claims", "search?q=made-up"];
const WIDTHS = [280, 320, 1280];
const SEALED = [
  "default-src 'none'",
  "style-src 'none'",
  `script-src ${baseUrl} 'nonce-host'`,
  `connect-src ${baseUrl}`,
  `frame-src ${baseUrl}`,
  `img-src ${baseUrl}`,
].join("; ");
const visit = (url, options, act) => look(url, { policy: SEALED, missing: true, ...options }, act);
const screenshot = (page, name) => shot(page, `embed-${name}`);

/** A card alone, at each width and in each scheme; the one with most parts is audited at each width. */
async function card(name) {
  return visit(`${baseUrl}/embed/${CARDS[name]}`, { bypassCSP: true }, async (page) => {
    const moved = await shift(page);
    const layouts = [];
    const violations = [];
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: 700 });
      layouts.push(await layout(page));
      if (width === WIDTHS[0] || name === "synthesis") violations.push(...(await audit(page)).map((one) => `${width}: ${one}`));
      for (const colorScheme of SCHEMES) {
        await page.emulateMedia({ colorScheme });
        if (width !== 320) await screenshot(page, `${name}-${width}-${colorScheme}`);
      }
    }
    const colour = (theme) => page.evaluate((asked) => {
      document.documentElement.dataset.theme = asked;
      return getComputedStyle(document.body).backgroundColor;
    }, theme);
    return { shift: moved, layouts, violations, themes: { light: await colour("light"), dark: await colour("dark") } };
  });
}

/** A card or page whose texts are attacks: what it shows, and whether anything of it ran. */
async function attacked(path) {
  return visit(`${baseUrl}/${path}`, { viewport: { width: 320, height: 700 } }, async (page) => ({
    hit: await page.evaluate(() => window.hit ?? null),
    text: await page.locator("main").evaluate((main) => main.textContent),
    shift: await shift(page),
    ...(await layout(page)),
  }));
}

/** The lines that the builder gives for a record. */
async function lines(path, more = "") {
  let found = [];
  const seen = await visit(`${baseUrl}/embed/builder?id=${baseUrl}/${path}${more}`, { javaScriptEnabled: false }, async (page) => {
    found = await page.locator("textarea").evaluateAll((areas) => areas.map((area) => area.value));
    return {};
  });
  return { ...seen, lines: found };
}

const host = (inside) => `<!doctype html><html lang="de"><head><meta charset="utf-8"><title>A partner's page</title>
<meta name="viewport" content="width=device-width"></head><body><main><h1>A partner's page</h1>${inside}<p id="after">After.</p></main></body></html>`;

/** What the element shows, read from its shadow. */
const shadow = (page) =>
  page.locator("treatment-evidence").first().evaluate((element) => {
    const article = element.shadowRoot.querySelector("article");
    const style = getComputedStyle(article);
    return {
      text: article.innerText,
      links: [...article.querySelectorAll("a")].map((link) => link.href),
      border: style.borderTopWidth,
      background: style.backgroundColor,
      height: element.getBoundingClientRect().height,
      shapes: article.querySelectorAll("svg path").length,
      hit: window.hit ?? null,
    };
  });

/** Element and badge in a partner's page that forbids all style, as the builder's lines put them there. */
async function element(name, path, { more = "", change = (line) => line, ...options } = {}) {
  const given = (await lines(path, more)).lines;
  const body = host(given[1] + change(given[6]));
  return visit(HOST, { body, viewport: { width: 320, height: 900 }, ...options }, async (page) => {
    if (options.javaScriptEnabled !== false) {
      await page.waitForFunction(() => document.querySelector("treatment-evidence").shadowRoot?.querySelector(".quiet"));
    }
    await screenshot(page, `element-${name}`);
    if (options.javaScriptEnabled === false) return { text: await page.locator("treatment-evidence").innerText() };
    const { outside, scrollWidth } = await layout(page);
    const badge = await page.locator("img").evaluate((image) => [image.naturalWidth, image.width]);
    const told = { ...(await shadow(page)), shift: await shift(page), badge, outside, scrollWidth };
    return { ...told, violations: options.audited ? await elementAudit(path) : [] };
  });
}

/** What axe-core finds in the element, in a page without a policy that would keep axe out. */
async function elementAudit(path) {
  const given = (await lines(path)).lines;
  const audited = await visit(HOST, { body: host(given[6]), bypassCSP: true, viewport: { width: 320, height: 900 } }, async (page) => {
    await page.waitForFunction(() => document.querySelector("treatment-evidence").shadowRoot.querySelector(".title"));
    return { violations: await audit(page) };
  });
  return audited.violations;
}

/** Two frames and the resizer in a partner's page: each frame gets the height of its own card, whoever else sends one. */
async function frames() {
  const one = (await lines(CARDS.claim, "&size=280")).lines[5];
  const two = (await lines(CARDS.treatment, "&size=600")).lines[4];
  const forged = `<script nonce="host">postMessage({treatmentEvidence:7},"*")</script>`;
  return visit(HOST, { body: host(two + one + forged), viewport: { width: 700, height: 900 } }, async (page) => {
    const cards = [];
    for (const frame of await page.locator("iframe").all()) {
      await frame.scrollIntoViewIfNeeded();
      cards.push(frame.contentFrame().locator("body"));
      await cards.at(-1).locator("footer").waitFor();
    }
    const wanted = await Promise.all(cards.map((card) => card.evaluate((body) => Math.ceil(body.getBoundingClientRect().height))));
    const settled = (wish) => [...document.querySelectorAll("iframe")].every((frame, index) => +frame.height === wish[index]);
    await page.waitForFunction(settled, wanted);
    await page.evaluate(() => postMessage({ treatmentEvidence: 9 }, "*"));
    await screenshot(page, "frames");
    await page.locator("iframe").first().scrollIntoViewIfNeeded(); // what nobody sees is not laid out
    await cards[0].evaluate((body) => body.querySelector("footer").remove());
    await page.waitForFunction((height) => +document.querySelector("iframe").height < height, wanted[0]);
    return { wanted, after: await heights(page) };
  });
}

const heights = (page) => page.locator("iframe").evaluateAll((all) => all.map((frame) => +frame.height));

/** The builder as it is used: another kind is picked, a record found by its words with the keyboard, a line copied. */
async function builder() {
  const granted = { permissions: ["clipboard-read", "clipboard-write"], viewport: { width: 1280, height: 900 } };
  return visit(`${baseUrl}/embed/builder`, granted, async (page) => {
    const field = page.getByRole("combobox", { name: /^Record/ });
    const options = page.locator("#id_options [role=option]");
    const moved = await shift(page);
    await field.fill("");
    await field.pressSequentially("boto");
    await options.first().waitFor();
    const suggested = await options.allInnerTexts();
    await field.press("Escape");
    await Promise.all([page.waitForURL(/kind=claims/), page.locator("select[name=kind]").selectOption("claims")]);
    await field.fill("");
    await field.pressSequentially("injected into musc");
    await options.first().waitFor();
    const violations = await audit(page);
    await screenshot(page, "builder-typing");
    const found = await options.first().innerText();
    await field.press("ArrowDown");
    await Promise.all([page.waitForURL(/id=c\d+/), field.press("Enter")]);
    const picked = new URL(page.url()).searchParams.get("id");
    await Promise.all([page.waitForURL(/theme=dark/), page.locator("select[name=theme]").selectOption("dark")]);
    const preview = await page.frameLocator(".preview iframe").locator("h1").innerText();
    await page.getByRole("button", { name: "Copy" }).last().click();
    await page.getByText("Copied").waitFor();
    const copied = await page.evaluate(() => navigator.clipboard.readText());
    return { preview, copied, suggested, found, picked, shift: moved, violations };
  });
}

/** The builder's looks. */
async function builderShown() {
  return visit(`${baseUrl}/embed/builder?kind=claims&id=c20`, { bypassCSP: true }, async (page) => {
    const layouts = [];
    const violations = [];
    for (const width of [320, 1280]) {
      await page.setViewportSize({ width, height: 900 });
      layouts.push(await layout(page));
      violations.push(...(await audit(page)).map((one) => `${width}: ${one}`));
      await page.emulateMedia({ colorScheme: width === 320 ? "dark" : "light" });
      await screenshot(page, `builder-${width}`);
    }
    return { layouts, violations };
  });
}

/** All badges beside each other, in light and dark. */
async function badges() {
  const images = Object.values(CARDS).map((path) => `<p><img src="${baseUrl}/badge/${path}.svg" alt=""></p>`);
  return visit(HOST, { body: host(images.join("")), viewport: { width: 480, height: 400 } }, async (page) => {
    for (const colorScheme of SCHEMES) {
      await page.emulateMedia({ colorScheme });
      await screenshot(page, `badges-${colorScheme}`);
    }
    return { widths: await page.locator("img").evaluateAll((all) => all.map((image) => image.naturalWidth)) };
  });
}

const ELEMENTS = {
  claim: [CARDS.claim, { audited: true }],
  treatment: [CARDS.treatment, { more: "&theme=dark" }],
  synthesis: [CARDS.synthesis, { audited: true }],
  attacked: [CARDS.retracted],
  attackedPlot: [`syntheses/${synthesis}`],
  released: [`${CARDS.claim}?release=${release}`, { more: `&release=${release}` }],
  unknown: [CARDS.claim, { change: (line) => line.replace("claims/c20", "claims/none") }],
  nowhere: [CARDS.claim, { change: (line) => line.replace(/src="[^"]*"/, 'src="https://["') }],
  plain: [CARDS.claim, { javaScriptEnabled: false }],
};
const plain = () =>
  visit(`${baseUrl}/embed/${CARDS.claim}`, { javaScriptEnabled: false }, async (page) => ({ text: await page.locator("main").innerText() }));
const named = Object.entries({ plain, frames, builder, builderShown, badges });
const groups = [
  named.map(([, task]) => task),
  Object.keys(CARDS).map((name) => () => card(name)),
  Object.entries(ELEMENTS).map(([name, asked]) => () => element(name, ...asked)),
  [...ATTACKED.map((path) => `embed/${path}`), ...PAGES].map((path) => () => attacked(path)),
];
const told = await together(groups.flat());
const [single, cards, elements, hostile] = groups.map((group) => told.splice(0, group.length));
const keyed = (names, values) => Object.fromEntries(names.map((name, place) => [name, values[place]]));
await browser.close();
console.log(JSON.stringify({ ...keyed(named.map(([name]) => name), single), cards: keyed(Object.keys(CARDS), cards), elements: keyed(Object.keys(ELEMENTS), elements), attacked: hostile }));
