import { chromium } from "playwright-core";
const [out, ...paths] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox","--disable-gpu","--disable-quic","--no-first-run","--disable-background-networking","--disable-component-update","--disable-sync"] });
for (const spec of paths) {
  const [path, width, scheme] = spec.split("@");
  const page = await browser.newPage({ viewport: { width: +width, height: 900 }, colorScheme: scheme || "light" });
  page.on("console", (m) => console.log(path, m.type(), m.text()));
  await page.goto("http://127.0.0.1:8106" + path);
  const name = path.replace(/[^\w-]+/g, "_") + "-" + width + "-" + (scheme || "light");
  const h = await page.evaluate(() => document.documentElement.scrollHeight); const step = +width < 500 ? 1800 : 2200; if (h <= 2800) await page.screenshot({ path: `${out}/${name}.png`, fullPage: true }); else for (let y = 0, i = 0; y < Math.min(h, step * 7); y += step, i += 1) await page.screenshot({ path: `${out}/${name}.${i}.png`, fullPage: true, clip: { x: 0, y, width: +width, height: Math.min(step, h - y) } });
  console.log(name, await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.scrollHeight]));
  await page.close();
}
await browser.close();
