// The attention explorer: who looks at whom, in every layer, head and call. All in the browser.

const STATE = ['layer', 'head', 'call', 'query', 'reverse'];
const HINT = 'Point to ask; click or Enter pins; arrow keys move. All counts start at 0.';
const PINNED = 'Pinned: the pointer changes nothing until you click again or press Escape.';

/** The question the model holds, made whole: its layer, and nothing out of range. */
function asked(model, data) {
  const [name, head, call, query, reverse] = STATE.map(key => model.get(key));
  const layer = data.layers.find(one => one.name === name) ?? data.layers[0];
  const n = reverse ? layer.nKeys : layer.nQueries;
  return {
    layer,
    head: head === null || head >= layer.heads ? null : head,
    call: Math.min(call, data.calls.length - 1),
    query: Math.min(query, n - 1),
    reverse,
  };
}

/** The same place in another layer, whose grid may be coarser; the first query if it has none. */
function elsewhere({layer: old, query, reverse}, next) {
  const [from, to] = reverse ? [old.keys, next.keys] : [old.queries, next.queries];
  const cells = from.h * from.w;
  if (query < cells && to.h) {
    const row = Math.floor((Math.floor(query / from.w) + .5) * to.h / from.h);
    const column = Math.floor((query % from.w + .5) * to.w / from.w);
    return {query: row * to.w + column, reverse};
  }
  const word = query - cells;
  if (word >= 0 && word < to.words.length) return {query: to.h * to.w + word, reverse};
  return {query: 0, reverse: false};
}

/** The same token in the other part, or the strongest one if it cannot play that part. */
function turned(question) {
  const {layer, query, reverse} = question;
  const n = reverse ? layer.nQueries : layer.nKeys;
  if (layer.keys.kind !== 'key' && query < n) return {query, reverse: !reverse};
  const weights = answer(question);
  return {query: weights.indexOf(Math.max(...weights)), reverse: !reverse};
}

/** What the map panel shows, or null if those who answer are words beside a picture. */
function mapOf(question, weights) {
  const {layer, head, call, query, reverse} = question;
  if (!layer.queries.h) {
    const matrix = Array.from({length: layer.nQueries * layer.nKeys}, (_, k) =>
      weight(layer, head, call, Math.floor(k / layer.nKeys), k % layer.nKeys));
    const nameOf = k => `${tokenName(layer.queries, Math.floor(k / layer.nKeys))} to ` +
      tokenName(layer.keys, k % layer.nKeys);
    return {h: layer.nQueries, w: layer.nKeys, weights: matrix, nameOf, marks: [],
      line: {index: query, reverse}, title: 'whole map: rows ask, columns answer',
      label: `map with a row for each of ${layer.nQueries} queries and a column for each key`};
  }
  const others = reverse ? layer.queries : layer.keys;
  const {h, w} = others;
  if (!h) return null;
  return {h, w, weights: weights.slice(0, h * w), nameOf: k => tokenName(others, k),
    marks: layer.keys.h && query < h * w ? [query] : [],
    title: reverse ? 'who looks at it' : 'where it looks',
    label: `map of ${h} rows and ${w} columns: ${reverse ? 'who looks at it' : 'where it looks'}`};
}

function render({model, el}) {
  const data = unpack(model.get('spec'), model.get('data'));
  let [pinned, borrowed, busy] = [false, false, false];
  const now = () => asked(model, data);

  const change = values => {
    busy = true; // one drawing for all values, and none of half a change
    for (const [name, value] of Object.entries(values)) model.set(name, value);
    busy = false;
    model.save_changes();
    draw();
  };
  // A cell may ask both ways; a word among the keys asks who looks at it, for as long as it is
  // pointed at, unless the box is ticked.
  const ask = {
    cell: i => {
      const {layer, reverse} = now();
      change({query: i, reverse: Boolean(layer.keys.h) && reverse && !borrowed});
      borrowed = false;
    },
    query: i => change({query: i, reverse: false}),
    key: i => {
      const {layer, reverse} = now();
      borrowed ||= !reverse;
      change({query: layer.keys.h * layer.keys.w + i, reverse: true});
    },
    matrix: i => {
      const {layer, reverse} = now();
      change({query: reverse ? i % layer.nKeys : Math.floor(i / layer.nKeys)});
    },
  };
  const point = kind => i => { if (!pinned) ask[kind](i); };
  const pin = kind => i => {
    const before = now();
    ask[kind](i);
    const after = now();
    pinned = !(pinned && before.query === after.query && before.reverse === after.reverse);
    draw();
  };
  const way = kind => [point(kind), pin(kind), ask[kind]];

  const layers = menu('layer', name => {
    const question = now();
    const next = data.layers.find(layer => layer.name === name);
    const head = question.head !== null && question.head < next.heads ? question.head : null;
    change({layer: name, head, ...elsewhere(question, next)});
  });
  const heads = menu('head', head => change({head}));
  const calls = slider('call', data.calls, call => change({call}));
  const backwards = tickbox('who looks at me?', () => {
    borrowed = false;
    change(turned(now()));
  });
  const words = sentence();
  const hint = element('div', {class: 'small'});
  const picture = picturePanel(data, ...way('cell'));
  const askers = chipRow('queries', ...way('query'));
  const keys = chipRow('keys', ...way('key'));
  const isMatrix = () => !now().layer.queries.h;
  const map = mapPanel(...way('matrix').map(act => i => { if (isMatrix()) act(i); }));
  const texts = element('div', {class: 'panel words'}, askers.box, keys.box);

  function draw() {
    const question = now();
    const {layer, head, call, query, reverse} = question;
    const weights = answer(question);
    layers.show(data.layers.map(({name}) => [name, name]), layer.name);
    const mean = layer.heads === 1 ? 'its one head' : `mean over ${layer.heads} heads`;
    const single = [...Array(layer.heads).keys()].map(k => [k, `head ${k}`]);
    heads.show([[null, mean], ...single], head);
    calls.show(call);
    backwards.show(reverse);
    picture.box.hidden = !layer.queries.h;
    if (layer.queries.h) {
      const mark = !reverse || query < layer.keys.h * layer.keys.w ? query : null;
      picture.show(call, layer.queries, mark, pinned);
    }
    const from = layer.keys.h * layer.keys.w;
    askers.show(layer.queries.words, reverse ? {all: weights, from: 0} : null,
      reverse ? null : query);
    keys.show(layer.keys.words, reverse ? null : {all: weights, from},
      reverse && query >= from ? query - from : null);
    texts.style.order = layer.keys.h ? 2 : 0; // words that answer alone stand beside the picture
    texts.hidden = layer.keys.words.length + layer.queries.words.length === 0;
    map.show(mapOf(question, weights));
    const said = inWords(data.calls, question, weights);
    if (words.textContent !== said) words.textContent = said;
    hint.textContent = pinned ? PINNED : HINT;
  }

  prepare(el, 'attention-explorer', PANELS);
  calls.element.hidden = data.calls.length === 1;
  el.append(
    element('div', {class: 'controls'}, layers.element, heads.element, calls.element,
      backwards.element),
    words,
    element('div', {class: 'panels'}, picture.box, texts, map.box),
    hint,
  );
  const release = event => {
    if (event.key === 'Escape') {
      pinned = false;
      draw();
    }
  };
  const follow = () => { if (!busy) draw(); };
  el.addEventListener('keydown', release);
  for (const name of STATE) model.on(`change:${name}`, follow);
  draw();
  return () => {
    for (const name of STATE) model.off(`change:${name}`, follow);
    picture.stop();
    map.stop();
  };
}

export default {render};
