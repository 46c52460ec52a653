// The viewer's pure modules, without a browser: `npm test`.

import assert from "node:assert/strict";
import { test } from "node:test";
import { deflateRawSync } from "node:zlib";

import { bend, stepOf, table, ticks, unbend, words32 } from "../../src/attnscope/render/viewer/colour.js";
import { csv, field, label, number, percent, short, xml } from "../../src/attnscope/render/viewer/format.js";
import { fromBase64, inflate } from "../../src/attnscope/render/viewer/inflate.js";
import { fromHalf, lengths, levels, unpack } from "../../src/attnscope/render/viewer/explorer/decode.js";
import { codeAt, FINE, FINE_SIGNED, sparseMapOf, room } from "../../src/attnscope/render/viewer/explorer/sparse_map.js";
import { measured, pooled, rollout } from "../../src/attnscope/render/viewer/explorer/pooling.js";
import { cellAt, edges, held, painter, stride } from "../../src/attnscope/render/viewer/explorer/heatmap.js";
import { CHOICES, DEFAULTS, pairs, within } from "../../src/attnscope/render/viewer/explorer/view_state.js";
import { ends, minMax, ranks, symmetric } from "../../src/attnscope/render/viewer/scores.js";
import { parse, write } from "../../src/attnscope/render/viewer/url_state.js";
import { apart, axis, find, places, together } from "../../src/attnscope/render/viewer/units.js";

/** A map of rows of codes. */
function codedMap(rows, codes, largest, shares) {
  const made = room(rows.length, rows.flat().length, codes);
  let size = 0;
  rows.forEach((row, q) => {
    row.forEach((code, k) => code > 0 && ([made.keys[size], made.codes[size++]] = [k, code]));
    made.starts[q + 1] = size;
    made.largest[q] = largest[q];
  });
  return sparseMapOf(made, rows[0].length, shares);
}
/** A map of plain weights, in sixteen bits. */
function weightMap(rows) {
  const most = rows.map((row) => Math.max(...row));
  const codes = rows.map((row, q) => row.map((weight) => Math.round((65535 * weight) / most[q])));
  return codedMap(codes, new Uint16Array(rows.flat().length), most, FINE);
}
/** A square map of eight bits. */
const byteMap = (codes, n) =>
  codedMap(
    Array.from({ length: n }, (_, q) => [...codes.subarray(q * n, (q + 1) * n)]),
    new Uint8Array(n * n),
    Array(n).fill(1),
    levels(1, 255),
  );
const close = (a, b, error = 1e-4) => assert.ok(Math.abs(a - b) <= error, `${a} is not ${b}`);

test("numbers and labels", () => {
  assert.deepEqual([0.0123456, 12, 0.00001, 0, 123456].map(number), ["0.01235", "12", "1e-5", "0", "1.235e+5"]);
  assert.deepEqual([percent(0.0123), percent(0.5)], ["1.2 %", "50 %"]);
  assert.deepEqual(["\n", "\t", "  ", " a\nb ", "a\u202eb", ""].map(label), ["↵", "⇥", "␣␣", "a b", "a·b", "∅"]);
  assert.equal(short("👍👍👍", 2), "👍…");
});

test("files hold any text", () => {
  assert.equal(field('a "b", c'), '"a ""b"", c"');
  assert.equal(
    csv([
      ["a", 1],
      ["\n", 0.5],
    ]),
    'a,1\r\n"\n",0.5\r\n',
  );
  assert.equal(xml('<a & "b">\0\ud800'), "&lt;a &amp; &quot;b&quot;&gt;␀\ufffd");
});

test("a state goes through the fragment", () => {
  const state = { ...DEFAULTS, view: "text", layer: 3, special: true, find: "a&b=c #", gamma: 0.5, zoom: "1 2 3" };
  assert.deepEqual(parse(write(state, DEFAULTS), DEFAULTS, CHOICES), state);
  assert.equal(write(DEFAULTS, DEFAULTS), "");
  const asked = parse("#view=nonsense&layer=x&gamma=900&__proto__=1&unknown=2", DEFAULTS, CHOICES);
  assert.deepEqual(within(asked), { ...DEFAULTS, gamma: 3 });
  assert.deepEqual(pairs("3.2 5.1 x 1"), [
    [3, 2],
    [5, 1],
  ]);
});

test("scores become places on the scale", () => {
  assert.deepEqual([minMax([1, 3, 2]), minMax([2, 2]), minMax([])], [[0, 1, 0.5], [0.5, 0.5], []]);
  assert.deepEqual(minMax([-1.7e308, 0, 1.7e308]), [0, 0.5, 1]);
  assert.deepEqual([symmetric([1, -4, 0]), symmetric([0])], [[0.625, 0, 0.5], [0.5]]);
  assert.deepEqual(
    [ends([1, -4, 0], true), ends([1, -4, 0], false), ends([], true)],
    [
      [-4, 4],
      [-4, 1],
      [0, 0],
    ],
  );
  assert.deepEqual(
    [ranks([1, 3, 3, 2], false), ranks([1, -4, 0], true)],
    [
      [4, 1, 1, 3],
      [2, 1, 3],
    ],
  );
});

test("stretches share a box or have their own", () => {
  const tokens = [
    [0, 2],
    [2, 4],
    [3, 4],
  ].map(([start, end]) => ({ start, end, special: false }));
  assert.deepEqual(together("Hi 👍", tokens).boxes, [
    { start: 0, end: 2, units: [0] },
    { start: 2, end: 5, units: [1, 2] },
  ]);
  const words = apart("Hi 👍!", [
    [0, 2],
    [3, 4],
    [4, 5],
  ]);
  assert.deepEqual(
    words.units.map(({ label }) => label),
    ["Hi", "👍", "!"],
  );
  assert.deepEqual([...words.boxOf], [0, 1, 2]);
  assert.deepEqual(find(words, "👍"), [[1]]);
});

test("curves run from 0 to 1 and back", () => {
  for (const curve of ["linear", "sqrt", "log"]) {
    for (const gamma of [0.5, 1, 2]) {
      const [to, from] = [bend(curve, gamma), unbend(curve, gamma)];
      for (const x of [0, 0.1, 0.7, 1]) close(from(to(x)), x);
      assert.equal(ticks(curve, gamma).length, 5);
      const steps = table(curve, gamma);
      assert.ok(steps.every((step, i) => i === 0 || step >= steps[i - 1]));
      assert.deepEqual([steps[0], steps.at(-1)], [0, 63]);
    }
  }
  assert.deepEqual([0, 0.5, 1].map(stepOf), [0, 32, 63]);
  assert.equal(words32(["#010203"])[0], 0xff030201);
});

test("a stream becomes a map", async () => {
  const bytes = [1, 0, 0, 0x3c, 0, 0x38, 255, 255, 51]; // rows end at their query; maxima 1 and 0.5
  const stream = deflateRawSync(Uint8Array.from(bytes));
  const read = await inflate(fromBase64(stream.toString("base64")));
  const grid = unpack(read, lengths([0, 1], [0, 1]), 2, levels(1, 255));
  assert.deepEqual([...grid.largest], [1, 0.5]);
  assert.deepEqual(
    [
      [0, 0],
      [0, 1],
      [1, 0],
      [1, 1],
    ].map(([q, k]) => codeAt(grid, q, k)),
    [255, 0, 255, 51],
  );
  assert.deepEqual(
    [[...grid.starts], [...grid.keys], [...grid.codes]],
    [
      [0, 1, 3],
      [0, 0, 1],
      [255, 255, 51],
    ],
  );
  assert.throws(() => unpack(read.slice(0, -1), [1, 2], 2, levels(1, 255)), /bytes/);
  assert.deepEqual([0x3c00, 0xc000, 1, 0x7c00].map(fromHalf), [1, -2, 2 ** -24, Infinity]);
  assert.deepEqual(lengths([2, 5], [0, 2, 3, 9]), [2, 3]);
});

test("any stream is unpacked byte by byte", () => {
  for (const [nq, nk, causal] of [
    [1, 1, 0],
    [5, 7, 0],
    [9, 9, 1],
    [33, 33, 1],
    [16, 40, 0],
  ]) {
    const ends = Array.from({ length: nq }, (_, q) => (causal ? q + 1 : nk));
    const truth = ends.map((end, q) =>
      Array.from({ length: end }, (_, k) => ((q * 31 + k * 17) % 5 ? 0 : (q + k) % 256)),
    );
    const bytes = Uint8Array.from([causal, 0, ...ends.flatMap(() => [0, 0x3c]), ...truth.flat()]);
    for (const shift of [0, 4]) {
      const moved = new Uint8Array(bytes.length + shift);
      moved.set(bytes, shift);
      const grid = unpack(moved.subarray(shift), ends, nk, levels(1, 255));
      truth.forEach((row, q) => row.forEach((code, k) => assert.equal(codeAt(grid, q, k), code)));
      assert.equal(grid.keys.length, truth.flat().filter((code) => code > 0).length);
    }
  }
});

test("words are sums over keys and means over queries", () => {
  const tokens = weightMap([
    [0.5, 0.5, 0],
    [0.2, 0.3, 0.5],
    [0.1, 0.6, 0.3],
  ]);
  const words = pooled([tokens], Int32Array.of(0, 1, 1), Int32Array.of(0, 1, 1), 2, 2);
  const at = (q, k) => FINE[codeAt(words, q, k)] * words.largest[q];
  [
    [0, 0, 0.5],
    [0, 1, 0.5],
    [1, 0, 0.15],
    [1, 1, 0.85],
  ].forEach(([q, k, truth]) => close(at(q, k), truth));
});

test("signed codes are decoded, pooled, measured and painted with their signs", () => {
  const shares = levels(1, 127, true);
  [
    [0, 0],
    [127, 1],
    [255, -1],
    [129, -1 / 127],
  ].forEach(([code, share]) => close(shares[code], share));
  const tokens = codedMap(
    [
      [127, 0, 0],
      [64, 128 + 64, 0],
      [128 + 127, 32, 127],
    ],
    new Uint8Array(9),
    [2, 1, 4],
    shares,
  );
  const words = pooled([tokens], Int32Array.of(0, 0, 1), Int32Array.of(0, 0, 1), 2, 2, true);
  const at = (q, k) => FINE_SIGNED[codeAt(words, q, k)] * words.largest[q];
  close(at(0, 0), 1);
  close(at(1, 0), -4 + (4 * 32) / 127, 1e-3);
  close(at(1, 1), 4, 1e-3);
  const known = measured(tokens, new Uint8Array(3), new Uint8Array(3), false);
  [2, 64 / 127, 4].forEach((peak, q) => close(known.peaks[q], peak, 1e-3));
  close(known.sums[2], 4 + (4 * 32) / 127 + 4, 1e-3);
  close(known.received[0], (2 + 64 / 127 - 4) / 3, 1e-3);
  const out = new Uint32Array(9);
  const every = Int32Array.of(0, 1, 2);
  const thirds = Uint8Array.of(0, 1, 2);
  const window = { x: 0, y: 0, sx: 1, sy: 1 };
  const factors = Float32Array.of(1, 1, 1);
  const cells = { ...tokens, hidden: new Uint8Array(3) };
  painter(cells, every, every, factors, window, 3, 3, thirds, Uint32Array.of(7, 8, 9), 99, out, true)(0, 3);
  assert.deepEqual([...out], [9, 8, 8, 9, 7, 8, 7, 8, 9]);
});

test("what is left out is measured", () => {
  const grid = weightMap([
    [0.9, 0.1, 0],
    [0.8, 0.1, 0.1],
    [0.7, 0.1, 0.2],
  ]);
  const plain = measured(grid, new Uint8Array(3), Uint8Array.of(1, 0, 0), false);
  close(plain.totals[2], 1);
  close(plain.sums[2], 0.3);
  close(plain.peaks[2], 0.2);
  assert.deepEqual([...plain.hidden], [1, 0, 0]);
  const keys = 100;
  const row = Array.from({ length: keys }, (_, k) => (k === 3 ? 0.6 : 0.4 / (keys - 1)));
  const sunk = measured(weightMap([row, row]), new Uint8Array(2), new Uint8Array(keys), true);
  assert.deepEqual(sunk.sinks, [3]);
  close(sunk.sums[0], 0.4, 1e-3);
});

test("rollout is the product of its layers", () => {
  const one = [
    [1, 0],
    [0.4, 0.6],
  ];
  const two = [
    [1, 0],
    [0.2, 0.8],
  ];
  const mixed = (rows) => rows.map((row, q) => row.map((share, k) => 0.5 * share + 0.5 * Number(q === k)));
  const [a, b] = [mixed(one), mixed(two)];
  const product = [0, 1].map((k) => b[1][0] * a[0][k] + b[1][1] * a[1][k]);
  const rows = rollout([weightMap(one), weightMap(two)], [1], 0.5);
  assert.equal(rows.length, 2);
  [0, 1].forEach((k) => close(rows[1][k], product[k]));
  close(rows[0][0], b[1][0]);
});

test("a hot cell survives when many fall on a pixel", () => {
  const n = 1000;
  const codes = new Uint8Array(n * n);
  codes[777 * n + 333] = 255;
  const cells = { ...byteMap(codes, n), hidden: new Uint8Array(n) };
  const every = Int32Array.from({ length: n }, (_, i) => i);
  const out = new Uint32Array(100 * 100);
  const window = { x: 0, y: 0, sx: 0.1, sy: 0.1 };
  const colours = Uint32Array.from({ length: 64 }, (_, i) => i);
  const ceilings = new Float32Array(n).fill(1);
  const draw = () =>
    painter(cells, every, every, ceilings, window, 100, 100, table("linear", 1), colours, 99, out)(0, 100);
  draw();
  assert.equal(out[77 * 100 + 33], 63);
  assert.equal(
    out.reduce((a, b) => a + b),
    63,
  );
  cells.hidden[333] = 1;
  draw();
  assert.equal(
    out.reduce((a, b) => a + b),
    0,
  );
});

test("a causal map is painted as cell after cell would be, at any zoom", () => {
  const n = 37;
  const codes = Uint8Array.from({ length: n * n }, (_, i) => (i % n <= i / n ? (i * 7919) % 251 : 0));
  const cells = { ...byteMap(codes, n), hidden: Uint8Array.from({ length: n }, (_, k) => Number(k % 5 === 2)) };
  const shown = Int32Array.from([...Array(n).keys()].filter((i) => i % 7 !== 3));
  const factors = Float32Array.from({ length: n }, (_, q) => (q % 6 ? 0.5 + q / 80 : 0));
  const colours = Uint32Array.from({ length: 64 }, (_, i) => i);
  const steps = table("sqrt", 1);
  for (const [x, y, scale] of [
    [0, 0, 0.3],
    [0, 0, 1],
    [3, 8, 1.7],
    [20, 2, 4.1],
  ]) {
    const out = new Uint32Array(20 * 20);
    painter(cells, shown, shown, factors, { x, y, sx: scale, sy: scale }, 20, 20, steps, colours, 99, out)(0, 20);
    const [across, down] = [edges(20, x, scale, shown.length), edges(20, y, scale, shown.length)];
    for (let v = 0; v < 20; v++) {
      for (let h = 0; h < 20; h++) {
        let most = 0;
        for (let r = down.first[v]; r < down.end[v]; r++) {
          for (let c = across.first[h]; c < across.end[h]; c++) {
            const [q, k] = [shown[r], shown[c]];
            if (!cells.hidden[k]) most = Math.max(most, Math.fround(cells.levels[codes[q * n + k]] * factors[q]));
          }
        }
        const outside = across.first[h] >= across.end[h] || down.first[v] >= down.end[v];
        const last = steps.length - 1;
        assert.equal(out[v * 20 + h], outside ? 99 : colours[steps[most >= 1 ? last : (most * last + 0.5) | 0]]);
      }
    }
  }
});

test("pixels and cells", () => {
  const { first, end } = edges(8, 2, 4, 3);
  assert.deepEqual([...first], [2, 2, 2, 2, 3, 3, 3, 3]);
  assert.deepEqual([...end], [3, 3, 3, 3, 3, 3, 3, 3]);
  assert.deepEqual([cellAt(9, 2, 4, 9), cellAt(-9, 0, 4, 9), cellAt(99, 0, 4, 9)], [4, -1, -1]);
  assert.deepEqual([held(-1, 10, 50, 20), held(19, 10, 50, 20), held(3, 10, 500, 20)], [0, 15, 0]);
  assert.deepEqual(
    [20, 8, 0.1].map((scale) => stride(scale, 15)),
    [1, 2, 200],
  );
});

test("units: words, tokens, characters of several tokens", () => {
  const side = {
    text: "a 👍 bc",
    tokens: [
      [0, 0, 1, "<s>"],
      [0, 1, 0],
      [1, 3, 0],
      [2, 3, 0],
      [3, 5, 0],
      [5, 6, 0],
    ],
    words: [
      [0, 1, [1]],
      [2, 3, [2, 3]],
      [4, 6, [4, 5]],
    ],
  };
  const all = [0, 1, 2, 3, 4, 5];
  assert.equal(places(side.text)(3), 4);
  const words = axis(side, all, true, 4);
  assert.deepEqual(
    words.units.map((unit) => unit.label),
    ["<s>", "a", "👍", "bc"],
  );
  assert.deepEqual(
    words.units.map((unit) => unit.continued),
    [false, false, false, true],
  );
  const tokens = axis(side, all, false, null);
  assert.deepEqual(
    tokens.boxes.map((box) => box.units),
    [[1], [2, 3], [4], [5]],
  );
  assert.deepEqual([...tokens.boxOf], [-1, 0, 1, 1, 2, 3]);
  assert.deepEqual(find(words, "B"), [[3]]);
  assert.deepEqual(find(words, "a 👍"), [[1, 2]]);
  assert.deepEqual(find(words, ".*(["), []);
  assert.deepEqual(
    axis(side, [0, 4], true, null).units.map((unit) => unit.label),
    ["<s>", "bc"],
  );
});
