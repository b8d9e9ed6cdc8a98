/** Medians and the like. Must not know what was measured. */

/** The `share` quantile, 0 to 1, between the two nearest values. */
export function quantile(values: readonly number[], share: number): number {
  if (values.length === 0) return Number.NaN;
  const sorted = [...values].sort((a, b) => a - b);
  const at = (sorted.length - 1) * share;
  const below = sorted[Math.floor(at)] ?? Number.NaN;
  const above = sorted[Math.ceil(at)] ?? Number.NaN;
  return below + (above - below) * (at - Math.floor(at));
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

export function p95(values: readonly number[]): number {
  return quantile(values, 0.95);
}

/** Milliseconds, with a digit after the point where that says something. */
export function ms(value: number): string {
  return Number.isNaN(value) ? "–" : `${value.toFixed(value < 100 ? 1 : 0)} ms`;
}

export function seconds(value: number): string {
  return Number.isNaN(value) ? "–" : `${(value / 1_000).toFixed(2)} s`;
}

/** Thousands of bytes, as networks count them. */
export function kilobytes(bytes: number): string {
  return Number.isNaN(bytes) ? "–" : `${(bytes / 1_000).toFixed(1)} kB`;
}

export function megabytes(bytes: number): string {
  return `${(bytes / 1_048_576).toFixed(1)} MiB`;
}

/** The middle and the far end of repeated measures, in one cell. */
export function medianAndP95(values: readonly number[], unit: (value: number) => string): string {
  return values.length === 0 ? "–" : `${unit(median(values))} (p95 ${unit(p95(values))})`;
}
