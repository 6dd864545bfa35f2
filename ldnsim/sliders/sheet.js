// What is looked at: a message, the figures, the table, the code. Drawn anew from the traits; nothing is sent back.
const config = {
  responsive: true,
  displaylogo: false,
  plotlyServerURL: "", // plotly would offer to upload the figure
  modeBarButtonsToRemove: ["sendChartToCloud", "select2d", "lasso2d", "autoScale2d", "zoomIn2d", "zoomOut2d"],
};

function render({ model, el }) {
  el.classList.add("ldnsim-sheet");
  const add = (tag, name, parent = el) => {
    const made = document.createElement(tag);
    made.className = name;
    parent.append(made);
    return made;
  };
  const message = add("p", "message");
  message.setAttribute("role", "alert");
  const plots = add("div", "plots");
  const table = add("div", "table");
  const fold = add("details", "code");
  add("summary", "", fold).textContent = "Code of this view";
  const copy = add("button", "copy", fold);
  copy.textContent = "Copy";
  const code = add("pre", "", fold);
  copy.onclick = async () => {
    try {
      await navigator.clipboard.writeText(model.get("code"));
      copy.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(code); // no clipboard without https: marked, so that a key copies it
      copy.textContent = "Marked";
    }
    setTimeout(() => { copy.textContent = "Copy"; }, 1500);
  };

  const drawn = []; // the text that each figure was drawn from
  const draw = () => {
    const wanted = model.get("figures");
    while (plots.children.length > wanted.length) {
      Plotly.purge(plots.lastChild.querySelector(".plot"));
      plots.lastChild.remove();
      drawn.pop();
    }
    wanted.forEach((text, index) => {
      let place = plots.children[index];
      if (!place) {
        place = add("figure", "", plots);
        add("figcaption", "", place);
        add("div", "plot", place);
      }
      if (drawn[index] === text) return;
      drawn[index] = text;
      const figure = JSON.parse(text);
      const { title, ...layout } = figure.layout; // above the figure as text: within, a legend of two lines lies over it
      place.querySelector("figcaption").innerHTML = title?.text ?? ""; // of ldnsim's own making, escaped
      Plotly.react(place.querySelector(".plot"), figure.data, layout, config);
    });
  };
  const say = () => {
    message.textContent = model.get("message");
    message.hidden = !model.get("message");
    el.classList.toggle("stale", Boolean(model.get("message")));
  };
  const fill = () => { table.innerHTML = model.get("table"); }; // of ldnsim's own making, every text in it escaped
  const tell = () => { code.textContent = model.get("code"); };
  model.on("change:figures", draw);
  model.on("change:message", say);
  model.on("change:table", fill);
  model.on("change:code", tell);
  say();
  tell();
  fill();
  // widths are known only once the cell shows the sheet
  const shown = new ResizeObserver(() => {
    if (!el.clientWidth) return;
    if (!drawn.length) draw();
    plots.querySelectorAll(".js-plotly-plot").forEach((plot) => Plotly.Plots.resize(plot));
  });
  shown.observe(el);
  return () => shown.disconnect();
}

export default { render };
