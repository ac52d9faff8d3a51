// The chart by keyboard: left and right arrow go from window to window, and what the
// table says of it is said. Without this script the table is there all the same.
(function () {
  "use strict";
  var plot = document.querySelector(".plot"), table = document.querySelector("table.series");
  if (!plot || !table) return;
  var svg = plot.querySelector("svg"), heads = table.querySelectorAll("thead th");
  var rows = Array.prototype.slice.call(table.querySelectorAll("tbody tr:not(.day)")).reverse();
  if (!svg || !rows.length) return;
  var view = svg.viewBox.baseVal, left = 62, right = 14, at = rows.length;
  var from = +plot.dataset.from, to = +plot.dataset.to, half = +plot.dataset.half;
  var said = document.createElement("p");
  said.className = "said";
  said.setAttribute("role", "status");
  plot.appendChild(said);
  plot.tabIndex = 0;
  plot.setAttribute("role", "application");
  plot.setAttribute("aria-label", plot.dataset.say);
  var cursor = document.createElementNS("http://www.w3.org/2000/svg", "path");
  cursor.setAttribute("class", "cursor");
  svg.appendChild(cursor);
  function show(n) {
    at = Math.max(0, Math.min(rows.length - 1, n));
    var time = Date.parse(rows[at].querySelector("time").dateTime) / 1000 + half;
    var x = left + (view.width - left - right) * (time - from) / (to - from);
    cursor.setAttribute("d", "M" + x + " 14V" + (view.height - 4));
    said.textContent = Array.prototype.map.call(rows[at].cells, function (cell, i) {
      return i && cell.textContent ? heads[i].textContent + " " + cell.textContent : cell.textContent;
    }).filter(Boolean).join(", ");
  }
  plot.addEventListener("keydown", function (e) {
    var to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: rows.length - 1 }[e.key];
    if (to === undefined) return;
    e.preventDefault();
    show(to);
  });
})();
