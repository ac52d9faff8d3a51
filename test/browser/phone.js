// Opens pages as somebody with a slow phone does: a processor four times slower than this one and
// Lighthouse's slow 4G (150 ms there and back, 1.6 Mbit/s), without anything in a cache. It says of
// each page how long it took until the first number was on the screen, in ms, the median of five
// visits, and how many bytes came: of the page alone, and of all.
//
//   node phone.js BASE CHROMIUM PATH...
"use strict";
const { chromium } = require("playwright-core");
const [base, executablePath, ...paths] = process.argv.slice(2);
const visits = 5;

// watch notes when the number is in a frame that is drawn: none is before the styles are there.
const watch = () => {
  const look = (now) => {
    const number = document.querySelector(".big");
    const box = number && number.getBoundingClientRect();
    if (!box || box.height === 0 || box.top >= innerHeight) return requestAnimationFrame(look);
    requestAnimationFrame((then) => { window.firstNumber = then; });
  };
  requestAnimationFrame(look);
};

async function visit(browser, path) {
  const context = await browser.newContext({ locale: "ca", viewport: { width: 360, height: 740 }, isMobile: true,
    hasTouch: true, deviceScaleFactor: 2 });
  const page = await context.newPage();
  const cdp = await context.newCDPSession(page);
  await cdp.send("Network.enable");
  await cdp.send("Network.emulateNetworkConditions",
    { offline: false, latency: 150, downloadThroughput: 1.6e6 / 8, uploadThroughput: 750e3 / 8 });
  await cdp.send("Emulation.setCPUThrottlingRate", { rate: 4 });
  const of = {};
  let all = 0, alone = 0;
  cdp.on("Network.responseReceived", (e) => { of[e.requestId] = e.type; });
  cdp.on("Network.loadingFinished", (e) => {
    all += e.encodedDataLength;
    if (of[e.requestId] === "Document") alone += e.encodedDataLength;
  });
  await page.addInitScript(watch);
  await page.goto(base + path, { waitUntil: "load" });
  const first = await (await page.waitForFunction(() => window.firstNumber, null, { timeout: 60_000 })).jsonValue();
  await context.close();
  return { first, alone, all };
}

(async () => {
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
  for (const path of paths) {
    const all = [];
    for (let n = 0; n < visits; n++) all.push(await visit(browser, path));
    all.sort((a, b) => a.first - b.first);
    const { first, alone, all: bytes } = all[(visits - 1) / 2];
    console.log(`${path} ${Math.round(first)} ${alone} ${bytes}`);
  }
  await browser.close();
})().catch((e) => { console.error(String(e)); process.exit(1); });
