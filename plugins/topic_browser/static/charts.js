"use strict";
// Each chart gets a button that saves what is seen as a PNG, made here in the browser; without scripts there is none.
const SCALE = 2, LINE = 20, MARGIN = 12;
const SEEN = ["fill", "stroke", "stroke-width", "stroke-dasharray", "stroke-linejoin", "paint-order", "font-family", "font-size", "font-weight", "text-anchor"];

function copyChart(chart) {
  const copy = chart.cloneNode(true), { width, height } = chart.viewBox.baseVal;
  const copies = copy.querySelectorAll("*");
  // As attributes: the image knows no style sheet, and the policy lets no style of an element in.
  chart.querySelectorAll("*").forEach((item, place) => {
    const style = getComputedStyle(item);
    for (const name of SEEN) copies[place].setAttribute(name, style.getPropertyValue(name));
  });
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  copy.setAttribute("width", width * SCALE);
  copy.setAttribute("height", height * SCALE);
  return new Blob([new XMLSerializer().serializeToString(copy)], { type: "image/svg+xml" });
}

async function withAddress(blob, use) {
  const address = URL.createObjectURL(blob);
  try { return await use(address); } finally { setTimeout(() => URL.revokeObjectURL(address), 1000); }
}

async function saveChart(figure) {
  const chart = figure.querySelector("svg"), { width, height } = chart.viewBox.baseVal;
  const lines = figure.dataset.told.split("\n"), style = getComputedStyle(figure), canvas = document.createElement("canvas");
  canvas.width = width * SCALE;
  canvas.height = (height + lines.length * LINE + MARGIN) * SCALE;
  const drawing = canvas.getContext("2d");
  drawing.fillStyle = style.backgroundColor;
  drawing.fillRect(0, 0, canvas.width, canvas.height);
  const image = new Image();
  await withAddress(copyChart(chart), (address) => { image.src = address; return image.decode(); });
  drawing.drawImage(image, 0, 0);
  drawing.scale(SCALE, SCALE);
  drawing.fillStyle = style.color;
  drawing.font = `14px ${style.fontFamily}`;
  lines.forEach((line, place) => drawing.fillText(line, MARGIN, height + (place + 0.7) * LINE, width - 2 * MARGIN));
  const png = await new Promise((done) => canvas.toBlob(done, "image/png"));
  await withAddress(png, (address) => {
    const link = Object.assign(document.createElement("a"), { href: address, download: figure.dataset.png });
    link.click();
  });
}

for (const figure of document.querySelectorAll("figure[data-png]")) {
  const button = Object.assign(document.createElement("button"), { type: "button", textContent: figure.dataset.save });
  button.addEventListener("click", () => saveChart(figure));
  figure.after(button);
}
