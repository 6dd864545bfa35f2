// Draws the figures of the page, each from the JSON that follows its element. No request is made.
(function () {
  "use strict";
  const PHONE = 600; // px: below this width, headings are short and text is small
  const BUTTONS = 30; // px: height of the row of buttons under each figure, not printed
  const PAPER = 680; // px: width of A4 between its margins
  const SHRINK = CSS.supports("zoom", "0.5") ? 0.71 : 1; // as in the style sheet: two figures to a sheet of paper
  const config = {
    responsive: true,
    displaylogo: false,
    plotlyServerURL: "", // plotly would offer to upload the figure
    modeBarButtonsToRemove: ["sendChartToCloud", "select2d", "lasso2d", "autoScale2d", "zoomIn2d", "zoomOut2d"],
  };

  function shorten(layout) {
    const short = (layout.meta && layout.meta.narrow) || [];
    (layout.annotations || []).filter((note) => note.name === "heading").forEach((note, row) => {
      note.text = short[row] || note.text;
      note.font = { size: 12 };
      if (!note.x) note.xshift = -46; // above the axis as well: a phone is narrow
    });
    layout.font = { size: 11 };
    layout.dragmode = false; // a finger scrolls the page
    layout.margin = Object.assign({}, layout.margin, { l: 56, r: 10 });
    Object.keys(layout).filter((key) => key.startsWith("yaxis") || key.startsWith("xaxis")).forEach((key) => {
      layout[key].tickfont = { size: 10 };
      layout[key].title = Object.assign({}, layout[key].title, { font: { size: 11 }, standoff: 6 });
    });
    layout.legend = Object.assign({}, layout.legend, { font: { size: 11 } });
  }

  // A legend with more lines than planned shrinks the panels: increase the height by as much.
  function fit(plot) {
    const squeezed = plot._fullLayout._size.t - plot.layout.margin.t;
    if (squeezed > 1) return Plotly.relayout(plot, { height: plot.layout.height + squeezed });
  }

  document.querySelectorAll("script.figure").forEach((source) => {
    const place = document.getElementById(source.dataset.for);
    const figure = JSON.parse(source.textContent);
    const phone = place.clientWidth < PHONE;
    if (phone) shorten(figure.layout);
    const own = { displayModeBar: phone ? false : "hover", toImageButtonOptions: { filename: place.id, scale: 2 } };
    Plotly.newPlot(place, figure.data, figure.layout, Object.assign({}, config, own)).then(fit);
  });

  const plots = () => document.querySelectorAll(".js-plotly-plot");
  const folded = [];
  window.addEventListener("beforeprint", () => {
    plots().forEach((plot) => {
      plot.style.minHeight = 0; // reserved while the page loaded
      const { height, margin } = plot.layout;
      plot.dataset.screen = JSON.stringify({ width: null, autosize: true, height: height, "margin.b": margin.b });
      Plotly.relayout(plot, { width: PAPER / SHRINK, height: height - BUTTONS, "margin.b": margin.b - BUTTONS });
    });
    document.querySelectorAll("details:not([open])").forEach((fold) => { fold.open = true; folded.push(fold); });
  });
  window.addEventListener("afterprint", () => {
    plots().forEach((plot) => Plotly.relayout(plot, JSON.parse(plot.dataset.screen)));
    folded.splice(0).forEach((fold) => { fold.open = false; });
  });
})();
