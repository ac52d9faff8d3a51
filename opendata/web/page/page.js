// The chart by pointer, touch and keyboard: the window nearest to the pointer, or the next one
// by left and right arrow, is marked on every line, and what the table says of it is said, with
// its day. Without this script the table is there all the same.
(function () {
  "use strict";
  var plot = document.querySelector(".plot"), table = document.querySelector("table.series");
  if (!plot || !table) return;
  var heads = table.querySelectorAll("thead th"), rows = [], day = "";
  table.querySelectorAll("tbody tr").forEach(function (row) {
    if (row.className === "day") day = row.textContent.trim();
    else rows.unshift({ cells: row.cells, day: day, at: Date.parse(row.querySelector("time").dateTime) / 1000 + half() });
  });
  if (!rows.length) return;
  var from = +plot.dataset.from, to = +plot.dataset.to, at = rows.length;
  var said = document.createElement("p");
  said.className = "said";
  said.setAttribute("role", "status");
  plot.appendChild(said);
  plot.tabIndex = 0;
  plot.setAttribute("role", "application");
  plot.setAttribute("aria-label", plot.dataset.say);

  function half() { return +plot.dataset.half; }
  function shape(name, className) {
    var s = document.createElementNS("http://www.w3.org/2000/svg", name);
    s.setAttribute("class", className);
    return s;
  }
  // The chart of the two that is shown, with where its axes are.
  function frame() {
    return Array.prototype.find.call(plot.children, function (d) { return d.dataset.left && d.offsetWidth > 0; });
  }
  function show(n, quiet) {
    at = Math.max(0, Math.min(rows.length - 1, n));
    var row = rows[at], f = frame();
    if (f) {
      var d = f.dataset, svg = f.querySelector("svg"), old = svg.querySelector(".cursor");
      if (old) old.remove();
      var x = +d.left + (d.right - d.left) * Math.min(1, Math.max(0, (row.at - from) / (to - from))), g = shape("g", "cursor"), line = shape("path", "");
      line.setAttribute("d", "M" + x + " " + d.top + "V" + svg.viewBox.baseVal.height);
      g.appendChild(line);
      Array.prototype.forEach.call(row.cells, function (cell) {
        if (!cell.dataset.v) return;
        var dot = shape("circle", "");
        dot.setAttribute("cx", x);
        dot.setAttribute("cy", +d.top + (d.foot - d.top) * (d.max - cell.dataset.v) / (d.max - d.min));
        dot.setAttribute("r", 4.5);
        g.appendChild(dot);
      });
      svg.appendChild(g);
    }
    said.setAttribute("aria-live", quiet ? "off" : "polite");
    said.textContent = (row.day ? row.day + ", " : "") + Array.prototype.map.call(row.cells, function (cell, i) {
      var text = cell.textContent.trim();
      if (!i || !text) return text;
      return cell.classList.contains("num") ? "· " + heads[i].textContent + " " + text : "(" + text + ")";
    }).filter(Boolean).join(" ");
  }
  function nearest(e) {
    var f = frame();
    if (!f) return;
    var box = f.getBoundingClientRect(), wide = f.querySelector("svg").viewBox.baseVal.width;
    var x = (e.clientX - box.left) * wide / box.width, d = f.dataset;
    var time = from + (to - from) * (x - d.left) / (d.right - d.left), low = 0, high = rows.length - 1;
    while (low < high) { // the first that is not before
      var middle = (low + high) >> 1;
      if (rows[middle].at < time) low = middle + 1; else high = middle;
    }
    if (low > 0 && time - rows[low - 1].at < rows[low].at - time) low--;
    if (low !== at) show(low, true);
  }
  plot.addEventListener("pointermove", nearest);
  plot.addEventListener("pointerdown", nearest);
  plot.addEventListener("keydown", function (e) {
    var to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: rows.length - 1 }[e.key];
    if (to === undefined || e.altKey || e.ctrlKey || e.metaKey) return;
    e.preventDefault();
    show(to);
  });
})();
// The map through time: a slider in the place of the row of links. What it shows comes from
// the same address as the page.
(function () {
  "use strict";
  var nav = document.querySelector("nav.times"), map = document.getElementById("map"), when = document.querySelector(".when");
  if (!nav || !map || !when) return;
  var steps = nav.dataset.steps.split(" ").map(Number), range = document.createElement("input"), asked = 0, wait;
  range.type = "range";
  range.min = 0;
  range.max = steps.length - 1;
  range.value = Math.max(0, steps.indexOf(+nav.dataset.at));
  range.setAttribute("aria-label", nav.dataset.say);
  range.setAttribute("aria-valuetext", when.textContent);
  nav.textContent = "";
  nav.appendChild(range);
  function address() {
    var to = new URL(location.href);
    to.searchParams.set("at", new Date(1000 * steps[range.value]).toISOString().replace(".000", ""));
    return to;
  }
  function each(list, zone, change) {
    Array.prototype.forEach.call(map.querySelectorAll(list), function (e) { if (e.dataset.zone === zone) change(e); });
  }
  function show(answer) {
    when.textContent = answer.said;
    range.setAttribute("aria-valuetext", answer.said);
    answer.rows.forEach(function (row) {
      var name = "", exact = row.interval ? " (" + row.interval + ")" : "";
      each("tr", row.zone, function (tr) {
        name = tr.cells[0].textContent;
        tr.cells[1].textContent = row.status;
        tr.cells[2].textContent = row.interval;
      });
      each("a.zone", row.zone, function (a) {
        a.setAttribute("class", "zone " + row.class);
        a.setAttribute("aria-label", name + ": " + row.status + exact);
      });
      each(".names text", row.zone, function (text) {
        text.setAttribute("class", row.class);
        text.querySelector(".number").textContent = row.status;
      });
    });
  }
  function ask() {
    var to = address(), mine = ++asked;
    fetch(to, { headers: { Accept: "application/json" } }).then(function (r) {
      if (!r.ok) throw new Error(r.status);
      return r.json();
    }).then(function (answer) {
      if (mine !== asked) return;
      show(answer);
      history.replaceState(null, "", to);
    }).catch(function () { if (mine === asked) location.assign(to); });
  }
  range.addEventListener("input", function () {
    clearTimeout(wait);
    wait = setTimeout(ask, 80);
  });
})();
// How old a number is, by the reader's clock. A simulation has a clock of its own, so its times are not asked for.
(function () {
  "use strict";
  if (!window.Intl || !Intl.RelativeTimeFormat) return;
  var say = new Intl.RelativeTimeFormat(document.documentElement.lang, { numeric: "always" });
  Array.prototype.forEach.call(document.querySelectorAll("time[data-ago]"), function (time) {
    var minutes = (Date.now() - Date.parse(time.dateTime)) / 60000;
    if (!(minutes >= 0 && minutes < 60 * 24 * 400)) return;
    var ago = minutes < 90 ? say.format(-Math.round(minutes), "minute") :
      minutes < 60 * 36 ? say.format(-Math.round(minutes / 60), "hour") : say.format(-Math.round(minutes / 1440), "day");
    time.textContent += (time.textContent ? ", " : "(") + ago + (time.textContent ? "" : ")");
  });
})();
