// Drives a real browser over embeds, as themselves and in other people's pages, and prints what it saw as JSON:
// node embeds.mjs URL CHROMIUM FOLDER RELEASE
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { chromium } from "playwright-core";

const [baseUrl, executablePath, folder, release] = process.argv.slice(2);
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const HOST = `${baseUrl.replace("127.0.0.1", "localhost")}/host`;
const CARDS = {
  treatment: "treatments/onabotulinumtoxina",
  indication: "indications/onabotulinumtoxina-chronic-migraine",
  claim: "claims/c20",
  result: "study-results/langevin-2011-pain-week-4",
  unknown: "claims/made-up-none",
  retracted: "claims/made-up-attack",
};
const ATTACKED = ["treatments", "indications", "claims", "study-results"].map((plural) => `${plural}/made-up-attack`);
const WIDTHS = [280, 320, 1280];
const SCHEMES = ["light", "dark"];
const SEALED = [
  "default-src 'none'",
  "style-src 'none'",
  `script-src ${baseUrl} 'nonce-host'`,
  `connect-src ${baseUrl}`,
  `frame-src ${baseUrl}`,
  `img-src ${baseUrl}`,
].join("; ");
/** What a partner's own style sheet says, so that the element has its place before its script has come. */
const ROOM = `<style nonce="host">treatment-evidence { display: block; height: 28rem }</style>`;

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
    "--disable-features=LocalNetworkAccessChecks", // the partner's page is made here, and our server is on loopback
  ],
});

/** Open a page in a fresh context, act on it, and tell what happened besides; `body` is served as a page of a partner. */
async function visit(url, { body, policy = SEALED, ...options }, act) {
  const context = await browser.newContext({ reducedMotion: "reduce", ...options });
  context.setDefaultTimeout(15_000);
  await context.addInitScript(() => {
    window.shift = 0;
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) window.shift += entry.value;
    }).observe({ type: "layout-shift", buffered: true });
  });
  const page = await context.newPage();
  const seen = { url, complaints: [], asked: [] };
  page.on("console", (message) => {
    const expected = /status of (404|410|422)/.test(message.text());
    if (["error", "warning"].includes(message.type()) && !expected) seen.complaints.push(message.text());
  });
  page.on("pageerror", (error) => seen.complaints.push(`thrown: ${error.message}`));
  page.on("dialog", (dialog) => dialog.dismiss());
  page.on("request", (request) => seen.asked.push(request.url()));
  if (body) {
    const headers = { "Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": policy };
    await context.route(HOST, (route) => route.fulfill({ body, headers }));
  }
  await page.goto(url, { waitUntil: "load" });
  const told = await act(page);
  seen.cookies = (await context.cookies()).length;
  await context.close();
  return { ...seen, ...told };
}

const screenshot = (page, name) => page.screenshot({ path: join(folder, `embed-${name}.png`), fullPage: true });

/** How high the content is, and whether something stands out of the window. */
const layout = (page) =>
  page.evaluate(() => {
    const width = document.documentElement.clientWidth;
    const outside = [...document.body.querySelectorAll("*")]
      .filter((element) => element.getBoundingClientRect().right > width + 0.5)
      .map((element) => `${element.tagName}: ${element.textContent.trim().slice(0, 40)}`);
    const { height } = document.body.getBoundingClientRect();
    return { width, height, scrollWidth: document.documentElement.scrollWidth, outside };
  });

/** What axe-core finds, in each scheme. */
async function audit(page) {
  await page.evaluate(axe);
  const found = [];
  for (const colorScheme of SCHEMES) {
    await page.emulateMedia({ colorScheme });
    const { violations, passes } = await page.evaluate(() =>
      window.axe.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }),
    );
    if (passes.length < 10) found.push(`${colorScheme}: only ${passes.length} rules applied`);
    found.push(...violations.map(({ id, nodes }) => `${colorScheme}: ${id}: ${nodes[0].html}`));
  }
  return found;
}

/** A card alone, at each width and in each scheme; the one with most parts is audited at each width. */
async function card(name) {
  return visit(`${baseUrl}/embed/${CARDS[name]}`, { bypassCSP: true }, async (page) => {
    const layouts = [];
    const violations = [];
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: 700 });
      layouts.push(await layout(page));
      if (width === WIDTHS[0] || name === "retracted") violations.push(...(await audit(page)).map((one) => `${width}: ${one}`));
      for (const colorScheme of SCHEMES) {
        await page.emulateMedia({ colorScheme });
        if (width !== 320) await screenshot(page, `${name}-${width}-${colorScheme}`);
      }
    }
    const colour = (theme) => page.evaluate((asked) => {
      document.documentElement.dataset.theme = asked;
      return getComputedStyle(document.body).backgroundColor;
    }, theme);
    return { layouts, violations, themes: { light: await colour("light"), dark: await colour("dark") } };
  });
}

/** A card whose texts are attacks: what it shows, and whether anything of it ran. */
async function attacked(path) {
  return visit(`${baseUrl}/embed/${path}`, { viewport: { width: 280, height: 700 } }, async (page) => ({
    hit: await page.evaluate(() => window.hit ?? null),
    text: await page.locator("main").innerText(),
    markup: await page.locator("main script, main img, main b:has-text('amp')").count(),
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
      hit: window.hit ?? null,
    };
  });

/** Element and badge in a partner's page that forbids all style, as the builder's lines put them there. */
async function element(name, path, { more = "", change = (line) => line, kept = false, ...options } = {}) {
  const given = (await lines(path, more)).lines;
  const body = host((kept ? ROOM : "") + given[1] + change(given[6]));
  const policy = kept ? SEALED.replace("style-src 'none'", "style-src 'nonce-host'") : SEALED;
  return visit(HOST, { body, policy, viewport: { width: 320, height: 900 }, ...options }, async (page) => {
    if (options.javaScriptEnabled !== false) {
      await page.waitForFunction(() => document.querySelector("treatment-evidence").shadowRoot?.querySelector(".quiet"));
    }
    await screenshot(page, `element-${name}`);
    if (options.javaScriptEnabled === false) return { text: await page.locator("treatment-evidence").innerText() };
    const { outside, scrollWidth } = await layout(page);
    const badge = await page.locator("img").evaluate((image) => [image.naturalWidth, image.width]);
    const told = { ...(await shadow(page)), shift: await page.evaluate(() => window.shift), badge, outside, scrollWidth };
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

/** The builder as it is used: another kind is picked, the preview follows, a line is copied. */
async function builder() {
  const granted = { permissions: ["clipboard-read", "clipboard-write"], viewport: { width: 1280, height: 900 } };
  return visit(`${baseUrl}/embed/builder`, granted, async (page) => {
    await Promise.all([page.waitForURL(/kind=claims/), page.locator("select[name=kind]").selectOption("claims")]);
    await Promise.all([page.waitForURL(/theme=dark/), page.locator("select[name=theme]").selectOption("dark")]);
    const preview = await page.frameLocator(".preview iframe").locator("h1").innerText();
    await page.getByRole("button", { name: "Copy" }).last().click();
    await page.getByText("Copied").waitFor();
    const copied = await page.evaluate(() => navigator.clipboard.readText());
    return { preview, copied };
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

const report = { cards: {}, attacked: [], elements: {} };
for (const name of Object.keys(CARDS)) report.cards[name] = await card(name);
for (const path of ATTACKED) report.attacked.push(await attacked(path));
report.plain = await visit(`${baseUrl}/embed/${CARDS.claim}`, { javaScriptEnabled: false }, async (page) => ({
  text: await page.locator("main").innerText(),
}));
const ELEMENTS = {
  claim: [CARDS.claim, { audited: true }],
  treatment: [CARDS.treatment, { more: "&theme=dark", kept: true }],
  attacked: [CARDS.retracted],
  released: [`${CARDS.claim}?release=${release}`, { more: `&release=${release}` }],
  unknown: [CARDS.claim, { change: (line) => line.replace("claims/c20", "claims/none") }],
  nowhere: [CARDS.claim, { change: (line) => line.replace(/src="[^"]*"/, 'src="https://["') }],
  plain: [CARDS.claim, { javaScriptEnabled: false }],
};
for (const [name, asked] of Object.entries(ELEMENTS)) report.elements[name] = await element(name, ...asked);
report.frames = await frames();
report.builder = await builder();
report.builderShown = await builderShown();
report.badges = await badges();
await browser.close();
console.log(JSON.stringify(report));
