// A chart of very many lines: canvases for the lines, SVG for what stands around and on top of them.
// Draws what it is given, keeps the zoom, and tells the selection what is pointed at.
import { token } from "./colours.js";
import { createLineCanvases } from "./line_canvas.js";
import { grownRange, placeRange, valueRange } from "./line_domain.js";
import { createAxesLayer, frameOf } from "./line_frame.js";
import { createLineMemory } from "./line_memory.js";
import { listen } from "./line_pointer.js";
import { marksOf } from "./marks.js";
import { nearestLine, nearestPoint } from "./nearest_line.js";
import { createOverlay } from "./overlay.js";
import { drawPicture } from "./picture.js";
import { movedRange, zoomedRange } from "./scale.js";
import { createZoomBox } from "./zoom_box.js";

const KEY_ZOOM = 1.5;
const KEY_MOVE = 0.15;
const LEAST_SIZE = 120;
// Raw values under smoothed ones, up to so many lines: beyond, nobody tells them apart.
const RAW_LINES = 100;
const RAW_OPACITY = 0.22;
let made = 0;

/**
 * The view; `show({chart})` draws {members, all, x, isLive, goal, isFull, isLog, smooth, limits,
 * limitTexts, texts, ranked, best}. Members are {line, number, group, style, isMoving, symbol}, lowest
 * first; `all` are the lines that the axes hold. Of the keys, `key` changes with what the axes mean,
 * `domainKey` with the points, `stillKey` with how anything but growing lines looks. `hooks` has zoom
 * (what the address says), onZoom(zoom, isMoving), point({number, x, y, event, place, box}), leave()
 * and words({number, x, y}), a sentence.
 */
export function createLineView(host, selection, hooks) {
  made += 1;
  const name = `lines-${made}`;
  const box = document.createElement("div");
  box.className = "runlines";
  box.tabIndex = 0;
  box.setAttribute("role", "application");
  box.setAttribute("aria-label", "Lines of runs. Up and down: next better or worse run. Left and right: "
    + "along the run. Enter pins it. Plus, minus and 0 zoom.");
  // What keys do is said at once; the announcer of the page waits between two sentences.
  const said = document.createElement("p");
  said.className = "vh";
  said.setAttribute("role", "status");
  host.append(box, said);
  const lines = createLineCanvases(box);
  const axes = createAxesLayer(box, `${name}-plot`);
  const overlay = createOverlay(box);
  const zoomBox = createZoomBox(box);
  const memory = createLineMemory();
  let chart = null;
  let zoom = hooks.zoom;
  let shown = null;
  let frame = null;
  let drawnKey = "";
  let waiting = 0;
  let pointed = null;

  const ysOf = (line) => memory.ysOf(line, chart.smooth, chart.x === "interval");
  const memberOf = (run) => chart.members.find((member) => member.number === run);

  /** What nobody has zoomed shows everything; it only grows, and not under the pointer. */
  function wholeView() {
    const isSame = shown?.key === chart.key;
    if (isSame && (shown.of === chart.domainKey || box.matches(":hover"))) return shown;
    const wanted = {
      key: chart.key, of: chart.domainKey, x: placeRange(chart.all, chart),
      y: valueRange(chart.all, chart),
    };
    if (!isSame || !chart.isLive) return wanted;
    return { ...wanted, x: grownRange(shown.x, wanted.x), y: grownRange(shown.y, wanted.y) };
  }

  function layOut() {
    shown = wholeView();
    const view = { x: zoom?.x ?? shown.x, y: zoom?.y ?? shown.y, isLog: chart.isLog };
    if (view.isLog && view.y[0] <= 0) view.y = shown.y;
    frame = frameOf({
      width: host.clientWidth, height: host.clientHeight, view, isWhole: chart.x !== "time",
    });
  }

  function itemOf(member) {
    const { line } = member;
    const extent = zoom || chart.isFull ? null : memory.extentOf(line);
    const isBelow = extent && extent[1] < frame.y.low;
    const isAbove = extent && extent[0] > frame.y.high;
    return {
      ...member, ys: ysOf(line), beyond: isAbove ? 1 : isBelow ? -1 : 0,
      peak: member.symbol === "best" ? line.peak(chart.goal) : -1,
    };
  }

  function itemsOf(isMoving) {
    const members = chart.members.filter((member) => member.isMoving === isMoving);
    const items = members.map(itemOf);
    if (!chart.smooth || chart.members.length > RAW_LINES) return items;
    const raw = members.map(({ line, style }) => ({
      line, ys: line.y, style: { ...style, opacity: style.opacity * RAW_OPACITY },
    }));
    return [...raw, ...items];
  }

  function draw() {
    waiting = 0;
    if (!chart || host.clientWidth < LEAST_SIZE || host.clientHeight < LEAST_SIZE) return;
    layOut();
    const key = JSON.stringify([
      chart.stillKey, frame.width, frame.height, frame.x.low, frame.x.high, frame.y.low, frame.y.high,
    ]);
    if (key !== drawnKey) {
      drawnKey = key;
      lines.drawStill(itemsOf(false), frame);
      axes.draw(frame, { ...chart.texts, limits: chart.limits, limitTexts: chart.limitTexts });
    }
    lines.drawMoving(itemsOf(true), frame);
    box.drawn = chart.members.length;
    highlight();
  }

  function plan() {
    if (!waiting) waiting = requestAnimationFrame(draw);
  }

  function locate(run) {
    const line = memberOf(run)?.line;
    if (!line) return { lines: [], points: [] };
    const piece = (ys) => ({ x: line.x.subarray(0, line.size), y: ys.subarray(0, line.size) });
    return { lines: [piece(ysOf(line))], points: [], raw: chart.smooth ? [piece(line.y)] : [] };
  }

  function highlight() {
    if (!chart || !frame) return;
    const marks = marksOf(selection, locate, chart.best);
    const raw = marks.filter((mark) => mark.raw?.length)
      .map((mark) => ({ css: `raw ${mark.css}`, lines: mark.raw, points: [] }));
    lines.dim(marks.some((mark) => mark.css.includes("hl")));
    if (pointed && pointed.number === selection.run) {
      marks.push({ css: "at", lines: [], points: [{ x: [pointed.x], y: [pointed.y] }], radius: 4.5 });
    }
    const place = (x, y) => [frame.x.place(x), frame.y.place(y)];
    overlay.draw({ ...frame.plot, place, margin: zoom ? 0 : 6 }, [...raw, ...marks]);
  }

  function setZoom(next, isMoving = false) {
    zoom = next;
    zoomBox.showReset(zoom !== null);
    plan();
    hooks.onZoom(zoom, isMoving);
  }

  const xOf = (px) => frame.x.value(px);
  const yOf = (py) => frame.y.value(py);

  /** Points at a place of a run; `at` is the index of its point. */
  function pointAt(line, at, event) {
    if (at < 0) return;
    pointed = { number: line.number, x: line.x[at], y: ysOf(line)[at] };
    const raw = line.y[at];
    if (line.number === selection.run) highlight();
    else selection.hover(line.number, name);
    const place = [frame.x.place(pointed.x), frame.y.place(pointed.y)];
    hooks.point({ number: line.number, x: pointed.x, y: raw, event, place, box });
  }

  function find(px, py) {
    if (!frame || px < frame.plot.left - 8 || px > frame.plot.left + frame.plot.width + 12) return null;
    return nearestLine(chart.members.map((member) => member.line), ysOf, frame, px, py);
  }

  function leave() {
    pointed = null;
    selection.hover(null, name);
    hooks.leave();
  }

  /** Steps to the next run of the ranking, or along the run. */
  function step(by, isAlong) {
    const run = selection.run ?? chart.best ?? chart.ranked[0];
    const ranked = chart.ranked.filter((number) => memberOf(number));
    const isNew = selection.run === null;
    const place = isNew || isAlong ? ranked.indexOf(run) : ranked.indexOf(run) + by;
    const line = memberOf(ranked[Math.min(ranked.length - 1, Math.max(0, place))])?.line;
    if (!line) return;
    const here = pointed?.x ?? line.x[Math.max(0, line.end())];
    let at = nearestPoint(line, ysOf(line), here);
    if (isAlong && !isNew) {
      at = Math.min(line.size - 1, Math.max(0, at + by));
      while (at > 0 && at < line.size - 1 && Number.isNaN(line.y[at])) at += by;
    }
    pointAt(line, at, null);
    said.textContent = hooks.words({ number: line.number, x: line.x[at], y: line.y[at] });
  }

  const centre = () => [xOf(frame.plot.left + frame.plot.width / 2), yOf(frame.plot.top + frame.plot.height / 2)];
  const zoomBy = (factor, x, y) =>
    setZoom({ x: zoomedRange(frame.x, x, factor), y: zoomedRange(frame.y, y, factor) }, true);
  const keys = {
    in: () => zoomBy(KEY_ZOOM, ...centre()),
    out: () => zoomBy(1 / KEY_ZOOM, ...centre()),
    reset: () => setZoom(null),
    first: () => zoom && setZoom({ ...zoom, x: movedRange(frame.x, -KEY_MOVE) }, true),
    left: () => step(-1, true),
    right: () => step(1, true),
    better: () => step(-1, false),
    worse: () => step(1, false),
    pin: () => selection.run !== null && selection.pin(selection.run, name),
    leave,
  };

  listen(box, {
    frame: () => chart && frame,
    hover(px, py, event) {
      const found = find(px, py);
      if (found) pointAt(found.line, found.at, event);
      else leave();
    },
    leave,
    pin(px, py) {
      const found = find(px, py);
      if (found) selection.pin(found.line.number, name);
    },
    showBox: zoomBox.show,
    zoomTo: ({ left, top, width, height }) =>
      setZoom({ x: [xOf(left), xOf(left + width)], y: [yOf(top + height), yOf(top)] }),
    wheel: (factor, px, py) => zoomBy(factor, xOf(px), yOf(py)),
    reset: keys.reset,
    key: (key) => chart && frame && keys[key](),
  });
  zoomBox.onReset(keys.reset);
  zoomBox.showReset(zoom !== null);
  selection.subscribe(highlight);
  // What is drawn of a run, for tests and for the curious.
  box.valuesOf = (run) => {
    const line = chart && memberOf(run)?.line;
    return line ? line.values() : [];
  };

  return {
    async show(figure) {
      const isOther = chart && chart.key !== figure.chart.key;
      chart = figure.chart;
      if (isOther && zoom) setZoom(null);
      plan();
    },
    resize: plan,
    png: () => drawPicture(lines.canvases, [axes.svg, overlay.svg], token("surface")),
  };
}
