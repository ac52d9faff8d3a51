// Reads a folder of pages on which a draft is put to the public as a resident does who was sent it: from a disk, in
// each language, narrow and wide, by keyboard; says what is wrong, a line each.
//
//   node consult.js DIR CHROMIUM
"use strict";
const { launch } = require("./open.js");
const { pathToFileURL } = require("url");
const { join } = require("path");
const axe = require.resolve("axe-core/axe.min.js");
const [dir, executablePath] = process.argv.slice(2);
const wrong = (what) => { console.log(what); process.exitCode = 1; };

module.exports = (async () => {
  const browser = await launch(executablePath);
  const page = await browser.newPage({ bypassCSP: true });
  let now = "";
  page.on("request", (r) => { if (!/^(file|data):/.test(r.url())) wrong(`${now} asks elsewhere: ${r.url()}`); });
  for (const width of [320, 360, 1280]) {
    await page.setViewportSize({ width, height: 740 });
    for (const lang of ["ca", "es", "en"]) {
      now = `${lang} (${width})`;
      await page.goto(pathToFileURL(join(dir, lang + ".html")).href);
      const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      if (over > 0) wrong(`${now} is ${over} too wide`);
      if (!(await page.$eval("img", (i) => i.complete && i.naturalWidth > 0))) wrong(`${now} has no picture`);
      const order = await page.$$eval("h1, h2, h3, h4", (l) => l.map((h) => Number(h.tagName[1])));
      order.forEach((n, i) => { if (i ? n > order[i - 1] + 1 : n !== 1) wrong(`${now}: its headings are ${order}`); });
      await page.addScriptTag({ path: axe });
      const found = await page.evaluate(() => axe.run(document, { preload: false, resultTypes: ["violations"] }));
      for (const v of found.violations) wrong(`${now}: ${v.id}: ${v.nodes[0].html.slice(0, 200)}`);
      const stops = new Set();
      for (let n = 0; n < 30; n++) {
        await page.keyboard.press("Tab");
        stops.add(await page.evaluate(() => document.activeElement.tagName));
      }
      for (const want of ["A", "INPUT", "TEXTAREA", "BUTTON"]) if (!stops.has(want)) wrong(`${now}: no ${want} is reached by keyboard`);
    }
  }
  await browser.close();
})().catch((e) => { console.log(String(e.stack || e)); process.exit(1); });
