// Reads a stream's page as a neighbour does: the answer and the chart on the first screen of a
// phone, every line by pointer, finger and keyboard, one colour for a place, another time behind
// it, and pictures that stand alone; says what is wrong, a line each.
//
//   node chart.js BASE CHROMIUM
"use strict";
const { launch } = require("./open.js");
const [base, executablePath] = process.argv.slice(2);
const wrong = (what) => { console.log(what); process.exitCode = 1; };
const two = "/streams/footfall?lang=en&cell=rambla&cell=mercat";
const shown = "svg.chart:visible";

// The number and the whole chart are on the first screen, nothing is before the answer but the
// title, and what can be chosen is behind.
async function firstScreen(page) {
  await page.setViewportSize({ width: 360, height: 740 });
  for (const path of ["/streams/footfall?cell=rambla", "/streams/noise?cell=port", "/streams/air?measure=pm10&cell=port"]) {
    for (const lang of ["ca", "en", "es"]) {
      await page.goto(`${base}${path}&lang=${lang}`);
      const big = await page.locator(".answer .big strong").boundingBox();
      const chart = await page.locator(shown).boundingBox();
      const form = await page.locator("details.more").boundingBox();
      if (!big || big.y + big.height > 740) wrong(`${path}, ${lang}: the number ends at ${big && big.y + big.height}`);
      if (!chart || chart.y + chart.height > 740) wrong(`${path}, ${lang}: the chart ends at ${chart && Math.round(chart.y + chart.height)}`);
      if (big.y > chart.y || chart.y > form.y) wrong(`${path}, ${lang}: the order is not answer, chart, controls`);
      const small = await page.$$eval("svg.chart text", (all) => all.filter((t) => t.getClientRects().length && t.getBoundingClientRect().height < 11).length);
      if (small) wrong(`${path}, ${lang}: ${small} texts of the chart are too small to read`);
    }
  }
}

// What a mark says, against the table.
async function says(page, at) {
  const rows = await page.$$eval("table.series tbody tr:not(.day)", (list) => list.reverse().map((r) => Array.from(r.cells).map((c) => c.textContent.trim())));
  const said = await page.textContent(".said");
  for (const text of rows[at]) if (text && !said.includes(text)) wrong(`of ${rows[at]} it says ${said}`);
  if (!/(Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, \d+ \w+ \d{4}/.test(said)) wrong(`it does not name the day: ${said}`);
  const dots = await page.locator(`${shown} .cursor circle`).count();
  const numbers = rows[at].filter((text, i) => i % 2 && /^[\d,.]+$/.test(text)).length;
  if (dots !== numbers) wrong(`${dots} marks on lines with ${numbers} numbers`);
  return rows.length;
}

async function byPointer(page) {
  await page.setViewportSize({ width: 1280, height: 900 });
  await page.goto(base + two);
  const count = await page.locator("table.series tbody tr:not(.day)").count();
  for (const at of [0, Math.floor(count / 2), count - 1]) {
    const d = await page.locator(".plot > div:visible").evaluate((e) => ({ ...e.dataset, wide: e.querySelector("svg").viewBox.baseVal.width }));
    const box = await page.locator(shown).boundingBox();
    const x = +d.left + (d.right - d.left) * (at + 0.5) / count;
    await page.mouse.move(box.x + x * box.width / d.wide, box.y + box.height / 2);
    await says(page, at);
  }
  if ((await page.getAttribute(".said", "aria-live")) !== "off") wrong("a pointer makes a screen reader speak");
}

async function byFinger(browser) {
  const page = await browser.newPage({ viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true });
  await page.goto(base + two);
  const box = await page.locator(shown).boundingBox();
  await page.touchscreen.tap(box.x + box.width / 2, box.y + box.height / 2);
  const first = await page.textContent(".said");
  await page.touchscreen.tap(box.x + box.width / 4, box.y + box.height / 2);
  if (!first || first === (await page.textContent(".said"))) wrong("a finger does nothing");
  await page.close();
}

async function byKeyboard(page) {
  await page.setViewportSize({ width: 1280, height: 900 });
  await page.goto(base + two);
  await page.focus(".plot");
  await page.keyboard.press("Home");
  const count = await says(page, 0);
  await page.keyboard.press("ArrowRight");
  await says(page, 1);
  await page.keyboard.press("End");
  await says(page, count - 1);
  if ((await page.getAttribute(".said", "aria-live")) !== "polite") wrong("the keyboard is not spoken to");
  await page.goto(`${base}/streams/noise?lang=en&span=month&cell=port`);
  await page.focus(".plot");
  await page.keyboard.press("End");
  const said = await page.textContent(".said"), row = await page.$eval("table.series tbody tr", (r) => r.cells[0].textContent.trim());
  if (!said.includes(row)) wrong(`a month ends with ${row}, and it says ${said}`);
}

// A place keeps its colour whatever is beside it, and lines differ by more than colour.
async function colours(page) {
  const look = async (path, name) => {
    await page.goto(base + path);
    const c = await page.locator(`${shown} text.name`, { hasText: name }).first().evaluate((e) => getComputedStyle(e).fill);
    return c;
  };
  const alone = await look("/streams/footfall?lang=en&cell=mercat", "El Mercat"), beside = await look(two, "El Mercat");
  if (alone !== beside || alone === (await look(two, "La Rambla"))) wrong(`El Mercat is ${alone} and ${beside}`);
  const dashes = await page.locator(`${shown} path.line`).evaluateAll((all) => all.map((e) => e.getAttribute("class") + getComputedStyle(e).strokeDasharray));
  if (new Set(dashes).size < 2) wrong(`the lines differ by colour alone: ${dashes}`);
}

async function compared(page) {
  await page.goto(`${base}/streams/noise?lang=en&cell=port&span=hour&compare=yesterday`);
  if (!(await page.locator(`${shown} path.ghost`).count())) wrong("there is no day before");
  if (!(await page.textContent("figcaption")).includes("The faint lines are the day before.")) wrong("what is behind is not said");
  if (!(await page.locator(`${shown} text.limit-name`).count())) wrong("there is no limit");
  await page.goto(`${base}/streams/noise?lang=en&cell=port&span=year&compare=week`);
  if (!(await page.textContent("figcaption")).includes("compared with nothing")) wrong("a year is compared, or it is not said");
}

// The pictures are of this view, and show themselves without the page.
async function pictures(page) {
  page.on("console", (m) => wrong(`a picture: ${m.text()}`));
  await page.goto(base + two);
  for (const format of ["PNG", "SVG"]) {
    const href = await page.locator(".files a", { hasText: format }).first().getAttribute("href");
    const answer = await page.request.get(base + href);
    const again = await page.request.get(base + href, { headers: { "If-None-Match": answer.headers().etag } });
    if (answer.status() !== 200 || again.status() !== 304) wrong(`${href} is ${answer.status()}, then ${again.status()}`);
    const size = await page.evaluate(async (src) => {
      const image = new Image();
      image.src = src;
      await image.decode();
      return [image.naturalWidth, image.naturalHeight];
    }, href);
    if (size[0] < 700 || size[1] < 300) wrong(`${format} is ${size}`);
    if (format === "SVG") for (const want of ["La Rambla", "El Mercat", "decision 2026-14", "in 95 of 100"]) if (!(await answer.text()).includes(want)) wrong(`the SVG does not say ${want}`);
  }
}

module.exports = (async () => {
  const browser = await launch(executablePath);
  await byFinger(browser);
  const page = await browser.newPage();
  // The pointer comes after the keyboard: it stays where it was, also on the next page.
  for (const part of [firstScreen, byKeyboard, byPointer, colours, compared, pictures]) await part(page);
  await browser.close();
})();
