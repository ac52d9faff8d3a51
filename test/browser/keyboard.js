// Goes through map and notice without a mouse, and through all of it again
// without scripts; says what is wrong, a line each.
//
//   node keyboard.js BASE CHROMIUM STREAM SENSOR
"use strict";
const fs = require("fs");
const { follow, launch } = require("./open.js");
const jsqr = fs.readFileSync(require.resolve("jsqr"), "utf8");
const [base, executablePath, stream, sensor] = process.argv.slice(2);
const wrong = (what) => { console.log(what); process.exitCode = 1; };
const focused = (page) => page.evaluate(() => {
  const e = document.activeElement;
  return { tag: e.tagName.toLowerCase(), name: e.getAttribute("aria-label") || e.textContent.trim(), zone: e.classList.contains("zone"), main: e.getAttribute("href") === "#main" };
});

async function map(page) {
  await page.goto(base + "/?layer=footfall/devices");
  await page.keyboard.press("Tab");
  if (!(await focused(page)).main) wrong("the first stop is not the link to the content");
  const zones = [];
  for (let n = 0; n < 80; n++) {
    await page.keyboard.press("Tab");
    const f = await focused(page);
    if (f.tag === "body") break;
    if (f.zone) zones.push(f.name);
  }
  const rows = await page.$$eval(".beside tbody tr", (list) => list.map((r) => {
    const c = Array.from(r.cells).map((x) => x.textContent.trim());
    return `${c[0]}: ${c[1]}` + (c[2] ? ` (${c[2]})` : "");
  }));
  if (!rows.length || JSON.stringify([...zones].sort()) !== JSON.stringify([...rows].sort())) wrong(`the map says ${JSON.stringify(zones)}, its table ${JSON.stringify(rows)}`);
  await page.focus("svg a.zone");
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/streams\//);
}

// The map through time: by the slider's keys, and by links without scripts.
async function slider(page, plain) {
  await page.goto(base + "/map?layer=footfall/devices&lang=en");
  const said = () => page.textContent(".when"), first = await said();
  await page.focus("nav.times input");
  for (const key of ["ArrowLeft", "ArrowLeft", "ArrowLeft"]) await page.keyboard.press(key);
  await page.waitForFunction((was) => document.querySelector(".when").textContent !== was, first);
  await page.waitForURL(/at=/);
  const moved = await said(), view = () => page.$$eval("a.zone", (l) => l.map((a) => a.getAttribute("class") + a.getAttribute("aria-label")));
  if ((await page.getAttribute("nav.times input", "aria-valuetext")) !== moved) wrong("the slider does not say where it is");
  const by = await view();
  await page.reload();
  if ((await said()) !== moved || JSON.stringify(await view()) !== JSON.stringify(by)) wrong(`the slider shows ${JSON.stringify(by)}, its address ${JSON.stringify(await view())}`);
  await plain.goto(base + "/map?layer=footfall/devices&lang=en");
  const newest = await plain.textContent(".when"); // by now another window may have closed
  await follow(plain, "nav.times a[rel=prev]");
  if ((await plain.textContent(".when")) === newest) wrong("without scripts there is no earlier map");
  await follow(plain, "nav.times a[rel=next]");
  if ((await plain.textContent(".when")) !== newest) wrong("without scripts there is no way back");
}

async function chart(page) {
  await page.goto(base + stream);
  for (const part of ["svg.chart", "table.series td", "form button", "text=CSV"]) if (!(await page.$(part))) wrong(`without scripts there is no ${part}`);
  await page.click("details.more summary");
  await page.selectOption("#span", "week");
  await follow(page, "form button");
  if (!page.url().includes("span=week")) wrong("without scripts the form does nothing");
}

async function notice(browser) {
  const context = await browser.newContext({ bypassCSP: true });
  const page = await context.newPage();
  await page.goto(base + sensor + "/notice");
  await page.addScriptTag({ content: jsqr });
  const read = await page.evaluate(async () => {
    const svg = document.querySelector("svg.qr").cloneNode(true);
    svg.setAttribute("xmlns", "http://www.w3.org/2000/svg");
    svg.setAttribute("width", "400"); svg.setAttribute("height", "400");
    svg.querySelector(".paper").setAttribute("fill", "#fff");
    const image = new Image();
    image.src = "data:image/svg+xml," + encodeURIComponent(svg.outerHTML);
    await image.decode();
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = 400;
    const g = canvas.getContext("2d");
    g.drawImage(image, 0, 0);
    const found = window.jsQR(g.getImageData(0, 0, 400, 400).data, 400, 400);
    return found && found.data;
  });
  if (read !== base + sensor) wrong(`the QR code says ${read}`);
  const pdf = await page.pdf({ format: "A4" });
  const pages = (pdf.toString("latin1").match(/\/Type\s*\/Page[^s]/g) || []).length;
  if (pages !== 1) wrong(`the notice takes ${pages} sheets`);
  await context.close();
}

module.exports = (async () => {
  const browser = await launch(executablePath);
  const page = await browser.newPage(), plain = await browser.newPage({ javaScriptEnabled: false });
  await map(page);
  await slider(page, plain);
  await chart(plain);
  await notice(browser);
  await browser.close();
})();
