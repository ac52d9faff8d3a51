// Starts the browser as the programs of this directory want it, and has one page serve many readers: another page for
// each, with a process of its own, takes the browser several times as long as what is then looked at.
"use strict";
const { chromium } = require("playwright-core");

// options are how it is started: it draws without a graphics card, and without one that is made of software.
const options = (executablePath, ...more) => (
  { executablePath, args: ["--no-sandbox", "--disable-gpu", "--disable-software-rasterizer", ...more] });

const launch = (executablePath) => chromium.launch(options(executablePath));

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

module.exports = { launch, options, reader };
