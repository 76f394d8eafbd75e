// A drawing of canvases with an SVG on top as one PNG.

const STYLES = [
  "fill", "fill-opacity", "stroke", "stroke-width", "stroke-opacity", "font-family", "font-size",
  "font-weight", "paint-order", "stroke-linejoin", "visibility", "stop-color",
  "stroke-dasharray", "opacity",
];

/** A copy that looks the same outside of the page: its style sheet does not come along. */
function standAlone(svg) {
  const copy = svg.cloneNode(true);
  const originals = svg.querySelectorAll("*");
  copy.querySelectorAll("*").forEach((node, place) => {
    const style = getComputedStyle(originals[place]);
    for (const name of STYLES) node.setAttribute(name, style.getPropertyValue(name));
  });
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  const { width, height } = svg.getBoundingClientRect();
  copy.setAttribute("width", width);
  copy.setAttribute("height", height);
  return copy;
}

/** Resolves to a PNG blob of canvases and, above them, one SVG or several of the same size. */
export async function drawPicture(canvases, svgs, background) {
  const [{ width, height }] = canvases;
  const picture = document.createElement("canvas");
  picture.width = width;
  picture.height = height;
  const context = picture.getContext("2d");
  context.fillStyle = background;
  context.fillRect(0, 0, width, height);
  for (const canvas of canvases) context.drawImage(canvas, 0, 0);
  for (const svg of [svgs].flat()) {
    const text = new XMLSerializer().serializeToString(standAlone(svg));
    const image = new Image();
    image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
    await image.decode();
    context.drawImage(image, 0, 0, width, height);
  }
  return new Promise((resolve) => {
    picture.toBlob(resolve, "image/png");
  });
}
