/** How sure a share of values is. */

/** Values of a column that fit its type must be at least this share, in percent, for the type to be accepted. */
export const ACCEPTED_PERCENT = 95;

/** The standard normal quantile of a two-sided 95 % interval. */
const Z = 1.959963984540054;

/** True when `fitting` of `all` reach the accepted share; whole numbers, so that exactly 95 % are accepted. */
export function isAccepted(fitting: number, all: number): boolean {
  return fitting * 100 >= all * ACCEPTED_PERCENT;
}

/** Lower bound of the Wilson score interval at 95 %: a share of few values is worth less than the same of many. */
export function wilsonLow(fitting: number, all: number): number {
  if (all === 0) return 0;
  const share = fitting / all;
  const square = Z * Z;
  const centre = share + square / (2 * all);
  const spread = Z * Math.sqrt((share * (1 - share) + square / (4 * all)) / all);
  return Math.max(0, (centre - spread) / (1 + square / all));
}

/** Four decimals, rounded down: a share that is not whole never prints as 1. */
export function printedShare(share: number): number {
  return Math.floor(share * 10_000) / 10_000;
}
