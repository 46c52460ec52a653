// What the pages of a survey and of head profiles compute: pieces of a text, colours, what a head is for.

import assert from "node:assert/strict";
import { test } from "node:test";

import { aboutHead } from "../../src/attnscope/render/viewer/tables/heads.js";
import { colourClasses, piecesOf } from "../../src/attnscope/render/viewer/tables/survey.js";

test("a text is cut at its words, in characters and not in UTF-16 units", () => {
  const text = "🏰 a castle.";
  const pieces = piecesOf(text, [
    [2, 3, 0],
    [4, 10, 1],
  ]);
  assert.deepEqual(
    pieces.map((piece) => [piece.text, piece.word]),
    [
      ["🏰 ", null],
      ["a", 0],
      [" ", null],
      ["castle", 1],
      [".", null],
    ],
  );
  assert.equal(pieces.map((piece) => piece.text).join(""), text);
  assert.deepEqual(piecesOf("ab", []), [{ text: "ab", word: null }]);
});

test("scores of both signs have 0 in the middle, others go from least to most", () => {
  assert.deepEqual(colourClasses([1, 3, 2]), ["s0", "s63", "s32"]);
  assert.deepEqual(colourClasses([-2, 0, 2]), ["d0", "d32", "d63"]);
  assert.deepEqual(colourClasses([0.5, 0.5]), ["s32", "s32"]);
  assert.deepEqual(colourClasses([]), []);
});

test("a head is asked for the statistics in which it ranks first", () => {
  const data = {
    statistics: ["entropy", "same_word", "first"],
    places: [
      [0, 0],
      [0, 1],
    ],
    mean: [
      [0.5, 1],
      [0, 0],
      [0.75, null],
    ],
    low: [
      [0.25, 1],
      [0, 0],
      [null, null],
    ],
    high: [
      [0.75, 1],
      [0, 0],
      [null, null],
    ],
    count: [
      [2, 2],
      [2, 2],
      [1, 0],
    ],
    strongest: [
      [[[7, 0.5]], []],
      [[], []],
      [[[8, 1]], []],
    ],
    examples: { 7: "a castle" },
  };
  const about = aboutHead(/** @type {any} */ (data), 0);
  assert.deepEqual(
    about.map(({ name, rank, texts }) => [name, rank, texts]),
    [
      ["first", 1, []],
      ["entropy", 2, ["a castle"]],
      ["same word", 1, []],
    ],
  );
  assert.equal(aboutHead(/** @type {any} */ (data), 1).length, 2, "without the statistic that has no value");
});
