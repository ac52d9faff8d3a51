// Looks at a page by axe: WCAG 2.2 AA, and what axe recommends beside it.
"use strict";
const fs = require("fs");
const axe = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

// known has axe read each colour once: to read the same few again and again was a third of its work on contrast.
const known = () => {
  const { Color } = window.axe.commons.color, read = Color.prototype.parseString, all = new Map();
  Color.prototype.parseString = function (text) {
    const was = all.get(text);
    if (!was) all.set(text, new Color(read.call(this, text)));
    else for (const part of ["r", "g", "b", "alpha"]) this[part] = was[part];
    return this;
  };
};

// inject puts axe into the page that is open; check wants it there. A page that opens one after the other has it in each
// by addInitScript(script).
const script = `${axe};(${known})()`;
const inject = (page) => page.evaluate(script);

// drawn are the rules of which what is said of a part is another when it is drawn in other colours or in another size.
// All others read what the page is made of, and which of it is shown; what a table is for is guessed from its lines
// and its width.
const drawn = ["color-contrast", "link-in-text-block", "target-size", "scrollable-region-focusable", "region", "skip-link",
  "empty-table-header", "scope-attr-valid", "td-headers-attr", "th-has-data-cells", "avoid-inline-spacing"];

// check holds every part of the page against every rule and calls wrong with what is wrong. Of the rules that are
// kept it has axe say no more than which: to describe each part that keeps one was a third of the work. A page that
// is open still and shows what it showed, each part of it, is held against what can be another now.
async function check(page, now, wrong) {
  const found = await page.evaluate(async ([tags, drawn]) => {
    const parts = [...document.querySelectorAll("*")], html = document.documentElement.outerHTML;
    const shown = parts.map((e) => Number(e.checkVisibility({ visibilityProperty: true }))).join("");
    const again = window.checked?.html === html && window.checked.shown === shown;
    window.checked = { html, shown };
    const runOnly = again ? { type: "rule", values: drawn } : { type: "tag", values: tags };
    const all = await window.axe.run({ runOnly, resultTypes: ["violations"] });
    return { violations: all.violations, kept: again || all.passes.length >= 10, looked: all.passes.length + all.violations.length };
  }, [tags, drawn]);
  for (const v of found.violations) {
    wrong(`${now}: ${v.id}: ${v.help}: ${v.nodes.map((n) => n.html.slice(0, 160)).slice(0, 3).join(" | ")}`);
  }
  if (!found.kept || !found.looked) wrong(`${now}: axe checked next to nothing`);
}

module.exports = { script, inject, check };
