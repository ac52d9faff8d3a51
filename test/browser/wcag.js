// Looks at a page by axe: WCAG 2.2 AA, and what axe recommends beside it.
"use strict";
const fs = require("fs");
const axe = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

// inject puts axe into the page that is open; check wants it there.
const inject = (page) => page.evaluate(axe);

// check holds every part of the page against every rule and calls wrong with what is wrong. Of the rules that are
// kept it has axe say no more than which: to describe each part that keeps one was a third of the work.
async function check(page, now, wrong) {
  const found = await page.evaluate(async (values) => {
    const all = await window.axe.run({ runOnly: { type: "tag", values }, resultTypes: ["violations"] });
    return { violations: all.violations, passes: all.passes.length };
  }, tags);
  for (const v of found.violations) {
    wrong(`${now}: ${v.id}: ${v.help}: ${v.nodes.map((n) => n.html.slice(0, 160)).slice(0, 3).join(" | ")}`);
  }
  if (found.passes < 10) wrong(`${now}: axe checked next to nothing`);
}

module.exports = { inject, check };
