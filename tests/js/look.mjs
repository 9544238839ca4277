// What the drivers share: a browser, a visit that notices whatever happens besides, what stands out, and work side by side.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { chromium } from "playwright-core";

export const [baseUrl, executablePath, folder, ...more] = process.argv.slice(2);
export const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
export const HOST = `${baseUrl.replace("127.0.0.1", "localhost")}/host`;
export const SCHEMES = ["light", "dark"];
const AT_ONCE = 3; // pages that are looked at side by side

export const browser = await chromium.launch({
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

/**
 * Open a page in a fresh context, act on it, and tell what happened besides; `body` is served as a page of a partner
 * under `policy`, and `missing` says that what it shows may calmly be absent.
 */
export async function visit(url, { body, policy, missing = false, ...options }, act) {
  const context = await browser.newContext({ reducedMotion: "reduce", ...options });
  context.setDefaultTimeout(90_000);
  await context.addInitScript(() => {
    window.shift = 0;
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) window.shift += entry.value;
    }).observe({ type: "layout-shift", buffered: true });
  });
  const page = await context.newPage();
  const seen = { url, complaints: [], foreign: [], failed: [], asked: [], dialogs: 0 };
  page.on("console", (message) => {
    const isStatus = message.text().startsWith("Failed to load resource") && (missing ? /status of (404|410|422)/.test(message.text()) : message.location().url === url);
    if (["error", "warning"].includes(message.type()) && !isStatus) seen.complaints.push(`${message.type()}: ${message.text()}`);
  });
  page.on("pageerror", (error) => seen.complaints.push(`thrown: ${error.message}`));
  page.on("dialog", (dialog) => {
    seen.dialogs += 1;
    return dialog.dismiss();
  });
  page.on("request", (request) => {
    const asked = new URL(request.url());
    seen.asked.push(request.url());
    if (asked.protocol !== "data:" && asked.origin !== new URL(url).origin) seen.foreign.push(request.url());
  });
  page.on("requestfailed", (request) => {
    if (/\/v1\/(suggest|search)\?/.test(request.url()) && request.failure()?.errorText === "net::ERR_ABORTED") return; // typed on
    seen.failed.push(`${request.url()}: ${request.failure()?.errorText}`);
  });
  page.on("response", (answer) => {
    const isPage = answer.url() === url; // a page may say calmly that something is missing
    if (answer.status() >= 400 && !isPage) seen.failed.push(`${answer.url()}: ${answer.status()}`);
  });
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

export const screenshot = (page, name) => page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });

/** How high and wide the content is, the elements that stand out of the window to the right, and the heads of stacked rows that do not use their width. */
export const layout = (page) =>
  page.evaluate(() => {
    const width = document.documentElement.clientWidth;
    const scrolled = (element) => element.closest(".scroll, pre") !== null;
    const outside = [...document.body.querySelectorAll("*")]
      .filter((element) => !scrolled(element) && element.getBoundingClientRect().right > width + 0.5)
      .map((element) => `${element.tagName.toLowerCase()}: ${element.textContent.trim().slice(0, 60)}`);
    const squeezed = [...document.querySelectorAll(".stack th")]
      .filter((head) => getComputedStyle(head).display === "block" && head.offsetWidth < 0.9 * head.parentElement.offsetWidth)
      .map((head) => head.textContent.trim().slice(0, 60));
    const { height } = document.body.getBoundingClientRect();
    return { width, height, scrollWidth: document.documentElement.scrollWidth, outside, squeezed };
  });

/** How far the content of a page has moved, once it is painted. */
export const shift = (page) => page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => resolve(window.shift)))));

/** What axe-core finds in one scheme; in the dark only the rule that depends on colours. */
async function faults(page, colorScheme) {
  await page.emulateMedia({ colorScheme });
  const rules = colorScheme === "light" ? {} : { runOnly: ["color-contrast"] };
  const { violations, passes } = await page.evaluate((options) => window.axe.run(options), rules);
  const few = passes.length < (colorScheme === "light" ? 10 : 1) ? [`${colorScheme}: only ${passes.length} rules applied`] : [];
  return [...few, ...violations.map(({ id, nodes }) => `${colorScheme}: ${id}: ${nodes[0].html}`)];
}

/** What axe-core finds, in each scheme. */
export async function audit(page) {
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(axe);
  const found = [];
  for (const colorScheme of SCHEMES) found.push(...(await faults(page, colorScheme)));
  return found;
}

/** The results of the tasks, of which some run side by side, in order. */
export async function together(tasks) {
  const results = [];
  const rest = tasks.map((task, place) => [task, place]);
  const work = async () => {
    for (let next = rest.shift(); next; next = rest.shift()) results[next[1]] = await next[0]();
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return results;
}
