// How values look: fixed decimals, a true minus sign, a dash for what is not known. Pure functions of their arguments.

export const DASH = "–";
export const TICK_S = 0.25; // the game's pace while a round runs

const known = (value) => typeof value === "number" && Number.isFinite(value);

/** A number with fixed decimals and a true minus sign. */
export function fixed(value, decimals) {
  if (!known(value)) return DASH;
  return (value < 0 && Number(value.toFixed(decimals)) !== 0 ? "−" : "") + Math.abs(value).toFixed(decimals);
}

/** As `fixed`, with a plus sign before gains. */
export function signed(value, decimals) {
  if (!known(value)) return DASH;
  return (Number(value.toFixed(decimals)) > 0 ? "+" : "") + fixed(value, decimals);
}

/** A multiplier. */
export const times = (value, decimals = 4) => (known(value) ? `${fixed(value, decimals)}×` : DASH);

/** A value with its unit. */
export const unit = (value, decimals, name) => (known(value) ? `${fixed(value, decimals)} ${name}` : DASH);

/** A whole number, its thousands apart. */
export function whole(value) {
  return known(value) ? Math.round(value).toString().replace(/\B(?=(\d{3})+$)/g, "\u202f").replace("-", "−") : DASH;
}

/** Bytes in decimal units. */
export function bytes(value) {
  if (!known(value)) return DASH;
  const names = ["B", "kB", "MB", "GB", "TB"];
  let step = 0;
  while (value >= 999.95 && step < names.length - 1) {
    value /= 1000;
    step += 1;
  }
  return `${value.toFixed(step === 0 ? 0 : 1)} ${names[step]}`;
}

/** A span of time as a clock: 02:14:37, with days before it where needed. */
export function clock(ms) {
  if (!known(ms)) return DASH;
  const s = Math.max(0, Math.floor(ms / 1000));
  const two = (n) => String(n).padStart(2, "0");
  const days = Math.floor(s / 86400);
  return `${days ? `${days} d ` : ""}${two(Math.floor(s / 3600) % 24)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
}

/** A span of time in words of one unit: 31 ms, 7.8 s, 4 min, 3 h, 2 d. */
export function span(ms) {
  if (!known(ms)) return DASH;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)} s`;
  if (ms < 120_000) return `${Math.floor(ms / 1000)} s`;
  if (ms < 7_200_000) return `${Math.floor(ms / 60_000)} min`;
  if (ms < 172_800_000) return `${Math.floor(ms / 3_600_000)} h`;
  return `${Math.floor(ms / 86_400_000)} d`;
}

/** Seconds with a decimal while that says something. */
export const seconds = (value) => (known(value) && value < 60 ? `${value.toFixed(1)} s` : span(value * 1000));

/** Local time of day. */
export function timeOfDay(ms) {
  if (!known(ms)) return DASH;
  return new Date(ms).toLocaleTimeString("en-GB", { hour12: false });
}

/** Local date and time. */
export function moment(ms) {
  if (!known(ms)) return DASH;
  const day = new Date(ms);
  const two = (n) => String(n).padStart(2, "0");
  return `${day.getFullYear()}-${two(day.getMonth() + 1)}-${two(day.getDate())} ${timeOfDay(ms)}`;
}

/** The class that colours a gain or a loss. */
export const gainClass = (value) => (!known(value) || value === 0 ? "" : value > 0 ? "up" : "down");

/** The class that colours a peak: at 2× and more most players gained, below 1.2× most lost. */
export function peakClass(value) {
  if (!known(value)) return "unknown";
  return value >= 2 ? "up" : value < 1.2 ? "down" : "even";
}
