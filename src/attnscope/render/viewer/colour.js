// From a share to a colour, and the ticks of the legend.

export const STEPS = 64;
/** Entries of a table from a scaled value (0 to 1) to a step. */
export const TABLE = 4096;

/** Applies the curve to a scaled value: 0 to 1 -> 0 to 1. @param {string} curve @param {number} gamma */
export const bend = (curve, gamma) => (/** @type {number} */ x) => {
  const bent = curve === "sqrt" ? Math.sqrt(x) : curve === "log" ? Math.log1p(999 * x) / Math.log(1000) : x;
  return gamma === 1 ? bent : bent ** gamma;
};

/** The scaled value whose colour lies at `y` of the legend: the inverse of the curve.
 * @param {string} curve @param {number} gamma */
export const unbend = (curve, gamma) => (/** @type {number} */ y) => {
  const bent = gamma === 1 ? y : y ** (1 / gamma);
  return curve === "sqrt" ? bent * bent : curve === "log" ? Math.expm1(bent * Math.log(1000)) / 999 : bent;
};

/** The step of a value after the curve: ColourMap.step in Python. @param {number} bent */
export const stepOf = (bent) => Math.max(0, Math.min(Math.floor(bent * STEPS), STEPS - 1));

/** (TABLE,) the step of each scaled value. @param {string} curve @param {number} gamma */
export function table(curve, gamma) {
  const bent = bend(curve, gamma);
  return Uint8Array.from({ length: TABLE }, (_, i) => stepOf(bent(i / (TABLE - 1))));
}

/** `#rrggbb` colours as the 32 bits of an ImageData. @param {string[]} colours */
export const words32 = (colours) =>
  Uint32Array.from(colours, (c) => {
    const value = parseInt(c.slice(1), 16);
    return (0xff000000 | ((value & 255) << 16) | (value & 0xff00) | (value >> 16)) >>> 0;
  });

/** Black or white, whichever has more contrast on `colour`: text_on in Python. @param {string} colour */
export function textOn(colour) {
  const [r, g, b] = [1, 3, 5].map((i) => {
    const c = parseInt(colour.slice(i, i + 2), 16) / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
  const luminance = 0.2126 * r + 0.7152 * g + 0.0722 * b;
  return 1.05 / (luminance + 0.05) > (luminance + 0.05) / 0.05 ? "#ffffff" : "#000000";
}

/** The legend's numbers: [place from 0 to 1, value as a share of the ceiling].
 * @param {string} curve @param {number} gamma */
export const ticks = (curve, gamma) => [0, 0.25, 0.5, 0.75, 1].map((y) => [y, unbend(curve, gamma)(y)]);
