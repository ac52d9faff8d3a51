// Prints notices on each size of paper: each is one sheet of that size, with nothing cut off and a QR code
// that leads to the sensor; says what is wrong, a line each.
//
//   node notice.js BASE CHROMIUM SENSOR...
"use strict";
const fs = require("fs");
const { launch } = require("./open.js");
const jsqr = fs.readFileSync(require.resolve("jsqr"), "utf8");
const [base, executablePath, ...sensors] = process.argv.slice(2);
const wrong = (what) => { console.log(what); process.exitCode = 1; };
const inch = 25.4;
// Width and height of each paper in millimetres, and its margin.
const papers = { a4: [210, 297, 10], a5: [148, 210, 8], a6: [105, 148, 6] };

async function print(page, size, sensor) {
  const [wide, high, margin] = papers[size], now = `${sensor} on ${size}`;
  await page.emulateMedia({ media: null });
  await page.setViewportSize({ width: 1280, height: 720 });
  const answer = await page.goto(`${base}/sensors/${sensor}/notice?size=${size}`);
  if (answer.status() !== 200) return wrong(`${now} is ${answer.status()}`);
  const pdf = (await page.pdf({ preferCSSPageSize: true })).toString("latin1");
  const pages = (pdf.match(/\/Type\s*\/Page[^s]/g) || []).length;
  if (pages !== 1) wrong(`${now} takes ${pages} sheets`);
  const box = (pdf.match(/\/MediaBox\s*\[([^\]]*)\]/) || ["", ""])[1].trim().split(/\s+/).map(Number);
  if (Math.abs(box[2] - wide * 72 / inch) > 2 || Math.abs(box[3] - high * 72 / inch) > 2) wrong(`${now} is printed on ${box}`);
  await page.emulateMedia({ media: "print" });
  await page.setViewportSize({ width: Math.floor((wide - 2 * margin) * 96 / inch), height: 900 });
  const over = await page.evaluate(() => {
    const s = document.querySelector(".sheet");
    const cut = [s, ...s.querySelectorAll(".first *, .hexes *, .second *")].filter((e) => e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== "inline" && !e.closest("svg, .visually-hidden"));
    const letters = [...s.querySelectorAll("*")].filter((e) => [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim()) && !e.closest("svg, .visually-hidden"));
    const point = 96 / 72, smallest = Math.min(...letters.map((e) => parseFloat(getComputedStyle(e).fontSize))) / point;
    return [s.scrollHeight - s.clientHeight, cut.length, smallest, parseFloat(getComputedStyle(s).fontSize) / point];
  });
  if (over[2] < 7.99) wrong(`${now}: letters of ${over[2]} points`);
  if (size === "a4" && over[3] < 8.99) wrong(`${now}: the text has ${over[3]} points`);
  if (over[0] > 0) wrong(`${now}: ${over[0]} pixels are cut off below`);
  if (over[1] > 0) wrong(`${now}: ${over[1]} parts are too wide`);
  await page.addScriptTag({ content: jsqr });
  const code = await page.locator("svg.qr").screenshot();
  const read = await page.evaluate(async (bytes) => {
    const image = new Image();
    image.src = "data:image/png;base64," + bytes;
    await image.decode();
    const canvas = document.createElement("canvas");
    canvas.width = image.width; canvas.height = image.height;
    const g = canvas.getContext("2d");
    g.drawImage(image, 0, 0);
    const found = window.jsQR(g.getImageData(0, 0, image.width, image.height).data, image.width, image.height);
    return found && found.data;
  }, code.toString("base64"));
  if (!read || !read.endsWith(`/sensors/${sensor}`)) wrong(`${now}: the QR code says ${read}`);
}

module.exports = (async () => {
  const browser = await launch(executablePath);
  const page = await browser.newPage({ bypassCSP: true, deviceScaleFactor: 3 });
  for (const sensor of sensors) for (const size of Object.keys(papers)) await print(page, size, sensor);
  await browser.close();
})();
