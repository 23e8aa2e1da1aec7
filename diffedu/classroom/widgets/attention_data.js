// The maps as attention_maps.py packs them, and the sentences as attention_words.py says them:
// the same operations in the same order, so that not even the last digit differs.

const SHARE = .9;

/** First the maxima of all rows (float32), then all levels, then the pictures (bytes). */
function unpack(spec, view) {
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength).slice();
  let at = 0;
  const take = (Kind, n) => {
    const taken = new Kind(bytes.buffer, at, n);
    at += taken.byteLength;
    return taken;
  };
  const size = tokens => tokens.h * tokens.w + tokens.words.length;
  const layers = spec.layers.map(layer => (
    {...layer, nQueries: size(layer.queries), nKeys: size(layer.keys)}));
  const rows = layer => spec.calls.length * layer.heads * layer.nQueries;
  for (const layer of layers) layer.most = take(Float32Array, rows(layer));
  for (const layer of layers) layer.levels = take(Uint8Array, rows(layer) * layer.nKeys);
  const [n, h, w] = spec.pictures ?? [0, 0, 0];
  const pictures = Array.from({length: n}, () => take(Uint8Array, 3 * h * w));
  return {calls: spec.calls, layers, pictures, h, w};
}

/** What query i gives to key j; the mean over the heads if head is null. */
function weight(layer, head, call, i, j) {
  const heads = head === null ? [...Array(layer.heads).keys()] : [head];
  let total = 0;
  for (const k of heads) {
    const row = (call * layer.heads + k) * layer.nQueries + i;
    total += layer.levels[row * layer.nKeys + j] * layer.most[row] / 255;
  }
  return total / heads.length;
}

/** The weights that answer the question: a row of the map, or with `reverse` a column of it. */
function answer({layer, head, call, query, reverse}) {
  const [n, pair] = reverse
    ? [layer.nQueries, k => weight(layer, head, call, k, query)]
    : [layer.nKeys, k => weight(layer, head, call, query, k)];
  return Array.from({length: n}, (_, k) => pair(k));
}

function tokenName(tokens, i) {
  const cells = tokens.h * tokens.w;
  if (i >= cells) return `${tokens.kind} ${i - cells} "${tokens.words[i - cells]}"`;
  const place = tokens.cell === 1 ? 'pixel' : 'cell';
  return `the ${place} in row ${Math.floor(i / tokens.w)}, column ${i % tokens.w}`;
}

function number(x) {
  let decimals = 2;
  while (x > 0 && x * 10 ** decimals < 10 && decimals < 5) decimals += 1;
  const scale = 10 ** decimals;
  const rounded = Math.floor(x * scale + .5);
  return `${Math.floor(rounded / scale)}.${String(rounded % scale).padStart(decimals, '0')}`;
}

function holders(weights) {
  const sum = weights => weights.reduce((total, x) => total + x);
  const sorted = [...weights].sort((a, b) => b - a);
  const enough = (SHARE - 1e-9) * sum(sorted);
  let [total, k] = [0, 0];
  while (total < enough) {
    total += sorted[k];
    k += 1;
  }
  return k;
}

function rowWords(asker, nameOf, weights) {
  const [n, most] = [weights.length, Math.max(...weights)];
  if (n === 1) return `${asker} looks at ${nameOf(0)}, the only key (weight ${number(most)}).`;
  if (Math.min(...weights) === most)
    return `${asker} looks at all ${n} keys alike (weight ${number(most)} each).`;
  const [best, few] = [nameOf(weights.indexOf(most)), holders(weights)];
  return `${asker} looks most at ${best === asker ? 'itself' : best} (weight ${number(most)}); ` +
    `of ${n} keys, ${few} ${few === 1 ? 'is' : 'are'} enough for 90 % of the row.`;
}

function columnWords(asked, nameOf, weights) {
  const [n, most] = [weights.length, Math.max(...weights)];
  const total = weights.reduce((sum, x) => sum + x);
  const best = nameOf(weights.indexOf(most));
  const who = Math.min(...weights) === most
    ? `is looked at by all ${n} queries alike (weight ${number(most)} each)`
    : `is looked at most by ${best === asked ? 'itself' : best} (weight ${number(most)})`;
  return `${asked} ${who}; the weights that ${n} queries give it sum to ${number(total)} ` +
    '(only what one query gives must sum to 1).';
}

function inWords(calls, question, weights) {
  const {layer, head, call, query, reverse} = question;
  const mean = layer.heads === 1 ? 'its one head' : `mean over ${layer.heads} heads`;
  const setting = [`Layer ${layer.name}`, head === null ? mean : `head ${head}`, calls[call]];
  const [asking, others] = reverse ? [layer.keys, layer.queries] : [layer.queries, layer.keys];
  const say = reverse ? columnWords : rowWords;
  return `${setting.filter(Boolean).join(', ')}: ` +
    say(tokenName(asking, query), k => tokenName(others, k), weights);
}
