// Numbers and times for people. Same rules as experiments/formats.py, tested with the same
// table (tests/golden/formats.json).

const DASH = "–";
const MINUS = "−";
const THIN = "\u202f";
const SUPERSCRIPT = {
  "-": "⁻", 0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴", 5: "⁵", 6: "⁶", 7: "⁷", 8: "⁸", 9: "⁹",
};
const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");

/** Non-finite numbers arrive as the strings "NaN", "Infinity", "-Infinity". */
export function toNumber(value) {
  return value === null || value === undefined || value === "" ? null : Number(value);
}

function nonfinite(value) {
  if (Number.isNaN(value)) return "NaN";
  return value > 0 ? "∞" : `${MINUS}∞`;
}

function signed(text) {
  const bare = text.replace(/^-/, "");
  // "-0.0000" is zero to a reader.
  return bare === text || !/[1-9]/.test(bare) ? bare : MINUS + bare;
}

function power(value, digits) {
  const [mantissa, exponent] = Math.abs(value).toExponential(digits - 1).split("e");
  const raised = [...String(Number(exponent))].map((char) => SUPERSCRIPT[char]).join("");
  const short = mantissa.includes(".") ? mantissa.replace(/\.?0+$/, "") : mantissa;
  return (value < 0 ? MINUS : "") + (short === "1" ? `10${raised}` : `${short}×10${raised}`);
}

/** Whole number with thin spaces between thousands. */
export function formatCount(value) {
  return signed(String(Math.trunc(value))).replace(/\B(?=(\d{3})+$)/g, THIN);
}

/** Parameter value: significant digits; powers of ten where that is shorter. */
export function formatParam(value, digits = 4) {
  if (value === null || value === undefined) return DASH;
  if (typeof value === "object") return JSON.stringify(value);
  if (typeof value !== "number") return String(value);
  if (!Number.isFinite(value)) return nonfinite(value);
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size < 1e-3 || size >= 1e6) return power(value, Math.min(digits, 3));
  if (Number.isInteger(value)) return formatCount(value);
  return signed(String(Number(value.toPrecision(digits))));
}

/** Metric value with a fixed number of decimals, so that columns line up. */
export function formatMetric(value, digits = 4) {
  const number = toNumber(value);
  if (number === null) return DASH;
  if (!Number.isFinite(number)) return nonfinite(number);
  const size = Math.abs(number);
  if (size >= 1e7 || (number !== 0 && size < 0.5 * 10 ** -digits)) return power(number, 3);
  return signed(number.toFixed(digits));
}

// Values this many times farther apart than those in the middle do not count for the decimals.
const FAR = 25;

/** Decimals that tell most values apart: four significant digits of their spread. */
export function metricDigits(values) {
  const finite = values.map(toNumber).filter((v) => v !== null && Number.isFinite(v)).sort((a, b) => a - b);
  if (!finite.length) return 4;
  const fifth = Math.floor(finite.length / 5);
  const [low, high] = [finite[0], finite.at(-1)];
  // One run that diverged leaves the others their decimals.
  const middle = FAR * (finite.at(-1 - fifth) - finite[fifth]) || high - low;
  const size = Math.min(high - low, middle) || Math.max(Math.abs(low), Math.abs(high));
  const digits = size > 0 ? Math.min(8, Math.max(0, 3 - Math.floor(Math.log10(size)))) : 4;
  // However far apart they are, the usual ones must not be rounded away.
  const usual = Math.abs(finite[Math.floor(finite.length / 2)]);
  return digits === 0 && usual > 0 && usual < 10 ? 4 : digits;
}

/** Time span in two units; seconds only below ten minutes. */
export function formatDuration(seconds) {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return DASH;
  const whole = Math.max(0, Math.round(seconds));
  const rest = whole % 60;
  let minutes = Math.floor(whole / 60);
  if (!minutes) return `${rest} s`;
  if (minutes < 60) return minutes < 10 && rest ? `${minutes} min ${rest} s` : `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  minutes %= 60;
  if (hours < 48) return `${hours} h ${String(minutes).padStart(2, "0")} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** How long ago; older than a week, the date. Takes dates, ISO strings or milliseconds. */
export function formatAgo(when, now = Date.now()) {
  const then = new Date(when);
  const today = new Date(now);
  const seconds = (today - then) / 1000;
  if (seconds < 60) return "just now";
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ago`;
  const days = Math.floor(seconds / 86400);
  if (days === 1) return "yesterday";
  if (days < 7) return `${days} days ago`;
  const date = `${then.getDate()} ${MONTHS[then.getMonth()]}`;
  return then.getFullYear() === today.getFullYear() ? date : `${date} ${then.getFullYear()}`;
}

/** Time of day in the reader's zone. */
export function formatClock(when) {
  const date = new Date(when);
  return [date.getHours(), date.getMinutes(), date.getSeconds()]
    .map((part) => String(part).padStart(2, "0"))
    .join(":");
}
