// Scores of words scaled for the colours, and their ranks.

/** Min–max scaling; a constant list becomes one half: `min_max` in Python. @param {number[]} scores */
export function minMax(scores) {
  const [low, high] = [lowest(scores), highest(scores)];
  // Halved, the spread of two huge scores of opposite sign cannot overflow.
  const half = high - low === Infinity ? 2 : 1;
  return scores.map((score) => (low === high ? 0.5 : (score / half - low / half) / (high / half - low / half)));
}

/** Scaling with 0 at one half and the largest magnitude at 0 or 1: `symmetric` in Python. @param {number[]} scores */
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

/** Works for any number of scores; Math.max cannot take a hundred thousand arguments. @param {number[]} scores */
const highest = (scores) => scores.reduce((a, b) => Math.max(a, b), -Infinity);
/** @param {number[]} scores */
const lowest = (scores) => scores.reduce((a, b) => Math.min(a, b), Infinity);

/** Rank 1 is the highest score, or the largest magnitude of signed ones; equal scores share a rank.
 * @param {number[]} scores @param {boolean} signed */
export function ranks(scores, signed) {
  const sizes = signed ? scores.map(Math.abs) : scores;
  /** @type {Map<number, number>} */
  const first = new Map();
  [...sizes].sort((a, b) => b - a).forEach((size, i) => first.has(size) || first.set(size, i + 1));
  return sizes.map((size) => first.get(size) ?? 0);
}
