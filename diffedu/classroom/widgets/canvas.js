// What every explorer drawn in the browser shares: labelled native controls, a canvas as sharp as
// the screen, one colour map, keys, and a sentence that a screen reader speaks.
// No exports: Python puts this file in front of the explorer's own module.

// matplotlib's viridis at 0, 1/15, ..., 1; between them a straight line is off by 7 of 255 at most
const VIRIDIS = [
  '440154', '481a6c', '472f7d', '414487', '39568c', '31688e', '2a788e', '23888e', '1f988b',
  '22a884', '35b779', '54c568', '7ad151', 'a5db36', 'd2e21b', 'fde725',
];

function colourTable(anchors) {
  const parts = anchors.map(hex => [0, 2, 4].map(k => parseInt(hex.slice(k, k + 2), 16)));
  return Array.from({length: 256}, (_, level) => {
    const x = level / 255 * (parts.length - 1);
    const k = Math.min(Math.floor(x), parts.length - 2);
    return parts[k].map((low, c) => Math.round(low + (x - k) * (parts[k + 1][c] - low)));
  });
}

const COLOURS = colourTable(VIRIDIS);

/** The colour [r, g, b] of x in 0..1. */
function colour(x) {
  return COLOURS[Math.round(255 * Math.min(Math.max(x, 0), 1))];
}

/** Black or white, whichever can be read on the colour: always at least 4.5 to 1 (WCAG 2). */
function ink(rgb) {
  const linear = v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4;
  const [r, g, b] = rgb.map(v => linear(v / 255));
  const light = .2126 * r + .7152 * g + .0722 * b;
  return light > .179 ? '#000' : '#fff';
}

const STYLE = `
.diffedu { color: var(--jp-content-font-color1, CanvasText); font-size: 14px; line-height: 1.4;
  font-family: var(--jp-ui-font-family, system-ui, sans-serif); max-width: 100%; padding: 4px;
  box-sizing: border-box; }
.diffedu * { box-sizing: border-box; }
.diffedu .controls { display: flex; flex-wrap: wrap; gap: 4px 18px; align-items: center; }
.diffedu label { display: inline-flex; flex-wrap: wrap; align-items: center; gap: 4px 6px;
  max-width: 100%; min-height: 28px; }
.diffedu select { font: inherit; color: inherit; max-width: 100%; padding: 2px 4px;
  background: var(--jp-layout-color1, Canvas); border-radius: 3px;
  border: 1px solid var(--jp-content-font-color2, currentColor); }
.diffedu option { color: inherit; background: var(--jp-layout-color1, Canvas); }
.diffedu input[type=range] { width: 180px; max-width: 100%; accent-color: #0072B2; }
.diffedu input[type=checkbox] { width: 16px; height: 16px; margin: 0; accent-color: #0072B2; }
.diffedu output { min-width: 4.5em; font-variant-numeric: tabular-nums; }
.diffedu canvas { display: block; width: 100%; cursor: crosshair; border-radius: 2px; }
.diffedu :focus-visible { outline: 3px solid #E69F00; outline-offset: 2px; }
.diffedu [role=status] { margin: 6px 0; font-size: 15px; }
.diffedu .small { font-size: 12px; margin: 4px 0; }
.diffedu [hidden] { display: none !important; }
`;

/** An element with properties (`class`, `aria-...` and `role` as attributes) and children. */
function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in made && name !== 'role') made[name] = value;
    else made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

/** Prepare the explorer's place on the page. JupyterLab shall not take its keys for commands. */
function prepare(el, name, style) {
  el.classList.add('diffedu', `diffedu-${name}`);
  el.append(element('style', {textContent: STYLE + style}));
  el.addEventListener('keydown', event => event.stopPropagation());
}

function labelled(text, control, ...after) {
  return element('label', {}, element('span', {textContent: text}), control, ...after);
}

/** A menu of [value, text] pairs: {element, show(pairs, value)}; `chosen` gets the value. */
function menu(text, chosen) {
  const select = element('select', {onchange: () => chosen(pairs[select.selectedIndex][0])});
  let pairs = [];
  const show = (options, value) => {
    if (JSON.stringify(options) !== JSON.stringify(pairs)) {
      pairs = options;
      select.replaceChildren(...pairs.map(([, name]) => element('option', {textContent: name})));
    }
    select.selectedIndex = pairs.findIndex(([other]) => other === value);
  };
  return {element: labelled(text, select), show};
}

/** A slider over named positions, the name beside it: {element, show(index)}. */
function slider(text, names, chosen) {
  const input = element('input', {type: 'range', min: 0, max: names.length - 1, step: 1,
    oninput: () => chosen(Number(input.value))});
  const readout = element('output', {'aria-hidden': 'true'});
  const show = index => {
    input.value = index;
    input.setAttribute('aria-valuetext', names[index]);
    readout.textContent = names[index];
  };
  return {element: labelled(text, input, readout), show};
}

/** A box to tick: {element, show(ticked)}. */
function tickbox(text, chosen) {
  const input = element('input', {type: 'checkbox', onchange: () => chosen(input.checked)});
  const caption = element('span', {textContent: text});
  return {element: element('label', {}, input, caption), show: on => { input.checked = on; }};
}

/** A canvas with one backing pixel per screen pixel. `draw(pen, width, height)` in CSS pixels;
    `shape(w, h, side)` sets its proportions, `side` the longest it may get. */
function sharpCanvas(properties, draw) {
  const canvas = element('canvas', properties);
  const pen = canvas.getContext('2d');
  const redraw = () => {
    const {clientWidth: width, clientHeight: height} = canvas;
    if (!width || !height) return;
    const ratio = window.devicePixelRatio || 1;
    const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (canvas.width !== w || canvas.height !== h) [canvas.width, canvas.height] = [w, h];
    pen.setTransform(w / width, 0, 0, h / height, 0, 0);
    pen.imageSmoothingEnabled = false;
    draw(pen, width, height);
  };
  const observer = new ResizeObserver(redraw);
  observer.observe(canvas);
  const shape = (w, h, side) => {
    canvas.style.aspectRatio = `${w} / ${h}`;
    canvas.style.maxWidth = `${side * Math.min(1, w / h)}px`;
  };
  return {canvas, redraw, shape, stop: () => observer.disconnect()};
}

/** A picture of h x w cells, one pixel each, to be enlarged by drawImage. */
function cells(h, w, rgbOf) {
  const small = element('canvas', {width: w, height: h});
  const pen = small.getContext('2d');
  const image = pen.createImageData(w, h);
  for (let i = 0; i < h * w; i += 1) {
    const [r, g, b] = rgbOf(i);
    image.data.set([r, g, b, 255], 4 * i);
  }
  pen.putImageData(image, 0, 0);
  return small;
}

/** A frame around cell i of a grid: orange in black, to be seen on any picture and on the map. */
function frameCell(pen, i, h, w, width, height, thick = false) {
  const [across, down] = [width / w, height / h];
  const line = Math.min(thick ? 3 : 2, across / 5, down / 5); // a third of the neighbours at most
  // outside the cell, whose colour it shall not hide, but inside the canvas
  const [column, row] = [i % w, Math.floor(i / w)];
  const left = Math.max(column * across - line / 2, line / 2);
  const top = Math.max(row * down - line / 2, line / 2);
  const right = Math.min((column + 1) * across + line / 2, width - line / 2);
  const bottom = Math.min((row + 1) * down + line / 2, height - line / 2);
  for (const [style, size] of [['#000', 2 * line], ['#E69F00', line]]) {
    pen.strokeStyle = style;
    pen.lineWidth = size;
    pen.strokeRect(left, top, right - left, bottom - top);
  }
}

/** The cell of a grid under the pointer. */
function cellAt(event, h, w) {
  const box = event.currentTarget.getBoundingClientRect();
  const at = (x, n) => Math.min(Math.max(Math.floor(x * n), 0), n - 1);
  const column = at((event.clientX - box.left) / box.width, w);
  return at((event.clientY - box.top) / box.height, h) * w + column;
}

const ARROWS = {ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0]};

/** Where a key leads from cell i, stopping at the rim; null for a key that leads nowhere. */
function cellAfter(key, i, h, w) {
  if (key === 'Home') return 0;
  if (key === 'End') return h * w - 1;
  if (!(key in ARROWS)) return null;
  const [down, right] = ARROWS[key];
  const row = Math.min(Math.max(Math.floor(i / w) + down, 0), h - 1);
  return row * w + Math.min(Math.max(i % w + right, 0), w - 1);
}

/** The words under a picture, spoken when they change. */
function sentence() {
  return element('p', {role: 'status', 'aria-live': 'polite'});
}
