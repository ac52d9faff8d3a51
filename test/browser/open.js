// Starts the browser as the programs of this directory want it, and has one page serve many readers: another page for
// each, with a process of its own, takes the browser several times as long as what is then looked at.
"use strict";
const { chromium } = require("playwright-core");

// options are how it is started: it draws without a graphics card, and without one that is made of software. A page's
// scripts run for a fraction of a second, in which neither optimising them nor collecting their garbage pays.
const scripts = "--js-flags=--no-opt,--no-maglev,--single-threaded-gc,--min-semi-space-size=64,--max-semi-space-size=64";
const options = (executablePath, ...more) => (
  { executablePath, args: ["--no-sandbox", "--disable-gpu", "--disable-software-rasterizer", scripts, ...more] });

// launch starts a browser for a script; where scripts run beside each other (scripts.js) they have one together, which
// each of them sees as its own: what it opens is closed when it closes the browser, and no more.
const launch = async (executablePath) => {
  if (!together) return chromium.launch(options(executablePath));
  if (!one || !(await one).isConnected()) one = chromium.launch(options(executablePath));
  const browser = await one, opened = new Set();
  const newContext = async (more) => { const c = await browser.newContext(more); opened.add(c); return c; };
  const newPage = async (more) => { const page = await browser.newPage(more); opened.add(page.context()); return page; };
  return { newContext, newPage, close: () => Promise.all([...opened].map((c) => c.close())) };
};
let together = false, one;
const share = () => { together = true; };

// reader is who looks at a page: of a language, through a window of a size, in a theme.
async function reader(page) {
  const cdp = await page.context().newCDPSession(page);
  let size = "", theme = "";
  return {
    speaks: async (lang) => {
      await cdp.send("Emulation.setUserAgentOverride", { userAgent: "", acceptLanguage: lang });
      await cdp.send("Emulation.setLocaleOverride", {});
      await cdp.send("Emulation.setLocaleOverride", { locale: lang });
    },
    sees: async (width, height, colorScheme) => {
      if (size !== (size = `${width} x ${height}`)) await page.setViewportSize({ width, height });
      if (theme !== (theme = colorScheme)) await page.emulateMedia({ colorScheme });
    },
  };
}

// follow clicks what leads to another page, or sends a form, and waits until that is there: on a busy machine a click
// ends before.
const follow = (page, what) => Promise.all([page.waitForNavigation(), page.click(what)]);

module.exports = { follow, launch, options, reader, share };
