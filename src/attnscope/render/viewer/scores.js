// Scores of words as places on the scale of colours, and their ranks.

/** min–max, a constant list at one half: `min_max` in Python. @param {number[]} scores */
export function minMax(scores) {
  const [low, high] = [lowest(scores), highest(scores)];
  // Halved, the spread of two huge scores of opposite sign fits.
  const half = high - low === Infinity ? 2 : 1;
  return scores.map((score) => (low === high ? 0.5 : (score / half - low / half) / (high / half - low / half)));
}

/** 0 at one half, the largest magnitude at 0 or 1: `symmetric` in Python. @param {number[]} scores */
export function symmetric(scores) {
  const largest = highest(scores.map(Math.abs));
  return scores.map((score) => (largest > 0 ? 0.5 + score / largest / 2 : 0.5));
}

/** The numbers at the ends of the colours. @param {number[]} scores @param {boolean} signed @returns {[number, number]} */
export function ends(scores, signed) {
  if (!scores.length) return [0, 0];
  const most = highest(signed ? scores.map(Math.abs) : scores);
  return signed ? [-most, most] : [lowest(scores), most];
}

/** Of any number of scores; spread into Math.max, a hundred thousand would not fit. @param {number[]} scores */
const highest = (scores) => scores.reduce((a, b) => Math.max(a, b), -Infinity);
/** @param {number[]} scores */
const lowest = (scores) => scores.reduce((a, b) => Math.min(a, b), Infinity);

/** Rank 1 is the highest, of signed scores the largest magnitude; equal scores share a rank.
 * @param {number[]} scores @param {boolean} signed */
export function ranks(scores, signed) {
  const sizes = signed ? scores.map(Math.abs) : scores;
  /** @type {Map<number, number>} */
  const first = new Map();
  [...sizes].sort((a, b) => b - a).forEach((size, i) => first.has(size) || first.set(size, i + 1));
  return sizes.map((size) => first.get(size) ?? 0);
}
