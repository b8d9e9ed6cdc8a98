/** Who the person at this browser is to others: a name and a colour. Must not know the network. */

export interface Identity {
  readonly name: string;
  /** One of `PALETTE`. */
  readonly color: string;
}

/**
 * Ten colours of equal luminance (about 0.158): a white label on them has a contrast of at least
 * 5.0:1, a caret in them at least 5.0:1 on white and 3.2:1 on the dark page.
 */
export const PALETTE: readonly string[] = [
  "#0871c2",
  "#ac5804",
  "#008120",
  "#904ecc",
  "#ce3437",
  "#0f7c72",
  "#b53ea1",
  "#7e6f07",
  "#5761df",
  "#ca3267",
];

/** Longest name in characters; longer ones are cut. */
export const MAX_NAME_LENGTH = 32;

const STORED_NAME = "collab.name";

const ADJECTIVES = [
  "Amber", "Bold", "Brave", "Bright", "Calm", "Clever", "Cosy", "Eager", "Fair", "Gentle", "Golden", "Happy",
  "Jolly", "Keen", "Kind", "Lively", "Lucky", "Mellow", "Merry", "Mighty", "Noble", "Patient", "Quick", "Quiet",
  "Silver", "Snug", "Sunny", "Swift", "Tidy", "Witty",
];
const ANIMALS = [
  "Badger", "Beaver", "Bison", "Crane", "Dolphin", "Falcon", "Ferret", "Finch", "Fox", "Gecko", "Heron", "Ibex",
  "Kestrel", "Koala", "Lemur", "Lynx", "Marten", "Mole", "Otter", "Owl", "Panda", "Puffin", "Raven", "Robin",
  "Seal", "Sparrow", "Stoat", "Swan", "Tern", "Wren",
];

/** A name fit to be shown: no control or direction characters, no runs of blanks, not too long.
 *  `undefined` when nothing is left. */
export function cleanName(name: string): string | undefined {
  const visible = name.toWellFormed().replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "").replace(/\s+/g, " ").trim();
  return [...visible].slice(0, MAX_NAME_LENGTH).join("").trim() || undefined;
}

/** The name given here before, or one drawn now. */
export function rememberedName(): string {
  return cleanName(stored()) ?? drawName();
}

/** Keeps the name for the next visit, where the browser allows it. */
export function rememberName(name: string): void {
  try {
    localStorage.setItem(STORED_NAME, name);
  } catch {
    // Storage may be switched off; then the name lasts as long as the page.
  }
}

/** A colour that nobody in `taken` has, `preferred` if possible; `preferred` when all are taken. */
export function freeColor(preferred: string, taken: ReadonlySet<string>): string {
  if (!taken.has(preferred)) return preferred;
  return PALETTE.find((color) => !taken.has(color)) ?? preferred;
}

/** The colour that stands for a number, the same in every browser. */
export function colorFor(number: number): string {
  return PALETTE[Math.abs(Math.trunc(number)) % PALETTE.length] ?? "#5761df";
}

function stored(): string {
  try {
    return localStorage.getItem(STORED_NAME) ?? "";
  } catch {
    return "";
  }
}

function drawName(): string {
  const [first = 0, second = 0] = crypto.getRandomValues(new Uint32Array(2));
  const name = `${ADJECTIVES[first % ADJECTIVES.length]} ${ANIMALS[second % ANIMALS.length]}`;
  rememberName(name);
  return name;
}
