// Opens every page as residents do, in every language and theme, and says what is
// wrong with it, a line each; nothing when all is well.
//
//   node pages.js BASE CHROMIUM PATH...
"use strict";
const zlib = require("zlib");
const { launch, reader } = require("./open.js");
const wcag = require("./wcag.js");
const [base, executablePath, ...paths] = process.argv.slice(2);
const wrong = (what) => { console.log(what); process.exitCode = 1; };

// look opens each page once in each language, and looks at it in both themes: what is said, and what it is made of,
// is the same in both.
async function look(browser) {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  const by = await reader(page);
  await page.addInitScript(wcag.script);
  let now = "";
  page.on("console", (m) => wrong(`${now}: the console says ${m.text()}`));
  page.on("pageerror", (e) => wrong(`${now}: ${e}`));
  page.on("request", (r) => { if (!r.url().startsWith(base + "/") && !r.url().startsWith("data:")) wrong(`${now} asks elsewhere: ${r.url()}`); });
  for (const lang of ["ca", "en", "es"]) {
    await by.speaks(lang);
    for (const path of paths) await opened(page, by, path, lang, now = `${path} (${lang})`);
  }
  await page.close();
}

async function opened(page, by, path, lang, now) {
  const answer = await page.goto(base + path);
  if (answer.status() !== 200) wrong(`${now} is ${answer.status()}`);
  const html = await answer.body();
  if (zlib.gzipSync(html).length > 60000) wrong(`${now} is over 60 kB, compressed`);
  if ((await page.getAttribute("html", "lang")) !== lang) wrong(`${now} is in another language`);
  if ((await page.context().cookies()).length) wrong(`${now} sets a cookie`);
  // Each width in both themes, one after the other: a browser draws all of a page anew for every step.
  for (const [width, ...themes] of [[320, "light", "dark"], [360, "dark", "light"], [768, "light", "dark"], [1280, "dark", "light"]]) {
    for (const theme of themes) await themed(page, by, `${path} (${lang}, ${theme})`, width, theme);
  }
}

async function themed(page, by, now, width, theme) {
  await by.sees(width, 900, theme);
  const [at, over] = await page.evaluate(() => [innerWidth, document.documentElement.scrollWidth - document.documentElement.clientWidth]);
  if (at !== width) wrong(`${now} is ${at} wide, not ${width}`);
  if (over > 0) wrong(`${now} is ${over} too wide for ${width}`);
  if (width === (theme === "dark" ? 360 : 1280)) await wcag.check(page, `${now} at ${width}`, wrong);
}

module.exports = (async () => {
  const browser = await launch(executablePath);
  await look(browser);
  await browser.close();
})();
