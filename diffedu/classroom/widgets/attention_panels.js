// The parts of the attention explorer: a picture to point at, a map, and rows of words.

const PANELS = `
.diffedu-attention-explorer .panels { display: flex; flex-wrap: wrap; gap: 10px 24px; }
.diffedu-attention-explorer .panel { flex: 4 1 150px; min-width: 0; max-width: 340px; }
.diffedu-attention-explorer .panel.words { flex: 1 1 200px; max-width: 640px; }
.diffedu-attention-explorer .map { order: 1; }
.diffedu-attention-explorer .title { font-weight: 600; margin: 6px 0 4px; }
.diffedu-attention-explorer .chips { display: flex; flex-wrap: wrap; gap: 4px; margin: 0 0 6px; }
.diffedu-attention-explorer .chips button { font: inherit; padding: 3px 7px; border-radius: 4px;
  border: 1px solid var(--jp-content-font-color2, currentColor); cursor: pointer; min-width: 3em;
  max-width: 100%; overflow-wrap: anywhere; color: inherit; text-align: center;
  background: var(--jp-layout-color1, Canvas); }
.diffedu-attention-explorer .chips button[aria-pressed=true] { outline: 3px solid #E69F00;
  outline-offset: 1px; }
.diffedu-attention-explorer .chips small { display: block; font-size: 12px; min-height: 1.4em;
  font-variant-numeric: tabular-nums; }
.diffedu-attention-explorer .scale { display: flex; align-items: center; gap: 6px; }
.diffedu-attention-explorer .bar { flex: 1 1 auto; height: 10px; border-radius: 2px;
  background: linear-gradient(to right, ${COLOURS.filter((_, k) => k % 15 === 0)
    .map(rgb => `rgb(${rgb})`).join(', ')}); }
`;
const SIDE = 320; // CSS pixels: the longer side of a picture

/** The width below which a picture of w columns goes to a line of its own: ten pixels a cell. */
function basis(w) {
  return `${Math.min(SIDE, 10 * w)}px`;
}

/** Listen to pointer and keys on cells; `grid()` gives {h, w} and the marked cell `at`. */
function listen(canvas, grid, point, pin) {
  const cell = event => cellAt(event, grid().h, grid().w);
  canvas.addEventListener('pointermove', event => {
    if (event.pointerType !== 'touch') point(cell(event)); // a finger that moves scrolls
  });
  canvas.addEventListener('click', event => pin(cell(event)));
}

/** The picture whose cells ask. `show(picture, grid, at, pinned)`: `at` is null for no mark. */
function picturePanel(data, point, pin, move) {
  let shown = {grid: {h: 1, w: 1}, at: null};
  const part = sharpCanvas({tabIndex: 0, role: 'application'}, (pen, width, height) => {
    pen.drawImage(shown.image, 0, 0, width, height);
    const {grid: {h, w}, at, pinned} = shown;
    if (at !== null) frameCell(pen, at, h, w, width, height, pinned);
  });
  const images = data.pictures.map(bytes =>
    cells(data.h, data.w, i => bytes.subarray(3 * i, 3 * i + 3)));
  part.shape(data.w || 1, data.h || 1, SIDE);
  listen(part.canvas, () => shown.grid, point, pin);
  part.canvas.addEventListener('keydown', event => {
    const {grid: {h, w}, last} = shown;
    const next = cellAfter(event.key, last, h, w);
    if (next !== null) move(next);
    else if (event.key === 'Enter' || event.key === ' ') pin(last);
    else return;
    event.preventDefault();
  });
  const box = element('div', {class: 'panel'}, titled('picture'), part.canvas);
  box.style.flexBasis = basis(data.w);
  const show = (call, grid, at, pinned) => {
    const image = images[Math.min(call, images.length - 1)];
    shown = {image, grid, at, pinned, last: at ?? shown.last ?? 0};
    const kind = grid.cell === 1 ? 'pixels' : 'cells';
    part.canvas.setAttribute('aria-label',
      `picture, ${grid.h} rows and ${grid.w} columns of ${kind}: arrow keys move, Enter pins`);
    part.redraw();
  };
  return {box, show, stop: part.stop};
}

function titled(text) {
  return element('div', {class: 'title', textContent: text});
}

/** The map of weights, each cell's share of the most as a colour, and its scale. */
function mapPanel(point, pin) {
  let shown = null;
  const part = sharpCanvas({role: 'img'}, (pen, width, height) => {
    if (!shown) return;
    const {h, w, image, marks} = shown;
    pen.drawImage(image, 0, 0, width, height);
    for (const i of marks) frameCell(pen, i, h, w, width, height);
    if (shown.line) frameLine(pen, shown, width, height);
  });
  const title = titled('');
  const top = element('span');
  const scale = element('div', {class: 'small scale', 'aria-hidden': 'true'}, '0',
    element('span', {class: 'bar'}), top);
  const probe = element('div', {class: 'small', 'aria-hidden': 'true', textContent: '\u00a0'});
  const box = element('div', {class: 'panel map'}, title, part.canvas, scale, probe);
  const read = i => {
    probe.textContent = `${shown.nameOf(i)}: ${number(shown.weights[i])}`;
  };
  listen(part.canvas, () => shown, i => { read(i); point(i); }, pin);
  part.canvas.addEventListener('pointerleave', () => { probe.textContent = '\u00a0'; });
  /** {h, w, weights, nameOf, marks, title, label}; null hides the map and keeps its place. */
  const show = next => {
    box.style.visibility = next ? 'visible' : 'hidden';
    if (!next) return;
    const most = Math.max(...next.weights);
    shown = {...next, image: cells(next.h, next.w, i => colour(next.weights[i] / most))};
    title.textContent = next.title;
    top.textContent = number(most);
    part.canvas.setAttribute('aria-label', next.label);
    part.shape(next.w, next.h, SIDE);
    box.style.flexBasis = basis(next.w);
    part.redraw();
  };
  return {box, show, stop: part.stop};
}

/** A frame around a whole row or column of a matrix. */
function frameLine(pen, {h, w, line}, width, height) {
  if (line.reverse) frameCell(pen, line.index, 1, w, width, height);
  else frameCell(pen, line.index, h, 1, width, height);
}

/** A row of words, each a button; `show(words, weights, at)`: weights may be null for no shade. */
function chipRow(text, point, pin, move) {
  const row = element('div', {class: 'chips', role: 'group', 'aria-label': text});
  const box = element('div', {}, titled(text), row);
  let shown = [];
  const build = words => {
    shown = words;
    row.replaceChildren(...words.map((word, k) => {
      const chip = element('button', {type: 'button'}, word, element('small'));
      chip.addEventListener('pointerenter', e => { if (e.pointerType !== 'touch') point(k); });
      chip.addEventListener('click', () => pin(k));
      return chip;
    }));
  };
  row.addEventListener('keydown', event => {
    const next = cellAfter(event.key, [...row.children].indexOf(event.target), 1, shown.length);
    if (next === null) return;
    event.preventDefault();
    move(next);
    row.children[next].focus();
  });
  const show = (words, weights, at) => {
    if (words.join('\n') !== shown.join('\n')) build(words);
    box.hidden = words.length === 0;
    const most = weights && Math.max(...weights.all);
    [...row.children].forEach((chip, k) => {
      const own = weights && weights.all[weights.from + k];
      const rgb = weights && colour(own / most);
      chip.style.background = rgb ? `rgb(${rgb})` : '';
      chip.style.color = rgb ? ink(rgb) : '';
      chip.lastChild.textContent = weights ? number(own) : '';
      chip.setAttribute('aria-label', words[k] + (weights ? `, weight ${number(own)}` : ''));
      chip.setAttribute('aria-pressed', String(k === at));
      chip.tabIndex = k === (at ?? 0) ? 0 : -1; // one stop for the Tab key, arrows inside
    });
  };
  return {box, show};
}
