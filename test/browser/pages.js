// Opens every page as residents do, in every language and theme, and says what is
// wrong with it, a line each; nothing when all is well.
//
//   node pages.js BASE CHROMIUM PATH...
"use strict";
const fs = require("fs");
const zlib = require("zlib");
const { chromium } = require("playwright-core");
const axe = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const [base, executablePath, ...paths] = process.argv.slice(2);
const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
const wrong = (what) => { console.log(what); process.exitCode = 1; };

async function look(browser, lang, theme) {
  const context = await browser.newContext({ locale: lang, colorScheme: theme, viewport: { width: 1280, height: 900 } });
  const page = await context.newPage();
  let now = "";
  page.on("console", (m) => wrong(`${now}: the console says ${m.text()}`));
  page.on("pageerror", (e) => wrong(`${now}: ${e}`));
  page.on("request", (r) => { if (!r.url().startsWith(base + "/") && !r.url().startsWith("data:")) wrong(`${now} asks elsewhere: ${r.url()}`); });
  for (const path of paths) {
    now = `${path} (${lang}, ${theme})`;
    const answer = await page.goto(base + path);
    if (answer.status() !== 200) wrong(`${now} is ${answer.status()}`);
    const html = await answer.body();
    if (zlib.gzipSync(html).length > 60000) wrong(`${now} is over 60 kB, compressed`);
    if ((await page.getAttribute("html", "lang")) !== lang) wrong(`${now} is in another language`);
    if ((await context.cookies()).length) wrong(`${now} sets a cookie`);
    for (const width of [320, 360, 768, 1280]) {
      await page.setViewportSize({ width, height: 900 });
      const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      if (over > 0) wrong(`${now} is ${over} too wide for ${width}`);
      if (width !== (theme === "dark" ? 360 : 1280)) continue;
      await page.evaluate(axe);
      const found = await page.evaluate((values) => window.axe.run({ runOnly: { type: "tag", values } }), tags);
      for (const v of found.violations) {
        wrong(`${now} at ${width}: ${v.id}: ${v.help}: ${v.nodes.map((n) => n.html.slice(0, 160)).slice(0, 3).join(" | ")}`);
      }
      if (found.passes.length < 10) wrong(`${now}: axe checked next to nothing`);
    }
  }
  await context.close();
}

(async () => {
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
  for (const lang of ["ca", "en", "es"]) for (const theme of ["light", "dark"]) await look(browser, lang, theme);
  await browser.close();
})();
