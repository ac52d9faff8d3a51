// Opens every page as residents do, in every language and theme, and says what is
// wrong with it, a line each; nothing when all is well.
//
//   node pages.js BASE CHROMIUM PATH...
"use strict";
const zlib = require("zlib");
const { chromium } = require("playwright-core");
const wcag = require("./wcag.js");
const [base, executablePath, ...paths] = process.argv.slice(2);
const wrong = (what) => { console.log(what); process.exitCode = 1; };

// look opens each page once in a language, and looks at it in both themes: what is said, and what it is made of,
// is the same in both.
async function look(browser, lang) {
  const context = await browser.newContext({ locale: lang, viewport: { width: 1280, height: 900 } });
  const page = await context.newPage();
  let now = "";
  page.on("console", (m) => wrong(`${now}: the console says ${m.text()}`));
  page.on("pageerror", (e) => wrong(`${now}: ${e}`));
  page.on("request", (r) => { if (!r.url().startsWith(base + "/") && !r.url().startsWith("data:")) wrong(`${now} asks elsewhere: ${r.url()}`); });
  for (const path of paths) {
    now = `${path} (${lang})`;
    const answer = await page.goto(base + path);
    if (answer.status() !== 200) wrong(`${now} is ${answer.status()}`);
    const html = await answer.body();
    if (zlib.gzipSync(html).length > 60000) wrong(`${now} is over 60 kB, compressed`);
    if ((await page.getAttribute("html", "lang")) !== lang) wrong(`${now} is in another language`);
    if ((await context.cookies()).length) wrong(`${now} sets a cookie`);
    await wcag.inject(page);
    for (const width of [320, 360, 768, 1280]) {
      await page.setViewportSize({ width, height: 900 });
      for (const theme of ["light", "dark"]) await themed(page, `${path} (${lang}, ${theme})`, width, theme);
    }
  }
  await context.close();
}

// themed is within each width, since a browser draws all of a page anew where the width is another.
async function themed(page, now, width, colorScheme) {
  await page.emulateMedia({ colorScheme });
  const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  if (over > 0) wrong(`${now} is ${over} too wide for ${width}`);
  if (width === (colorScheme === "dark" ? 360 : 1280)) await wcag.check(page, `${now} at ${width}`, wrong);
}

(async () => {
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });
  for (const lang of ["ca", "en", "es"]) await look(browser, lang);
  await browser.close();
})();
