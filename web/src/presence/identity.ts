/** Who the person at this browser is to others: a name, a colour, and a mark that outlives a
 *  reload. Must not know the network. */

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

/** A tab, as others know it again after it was reloaded. */
export interface Tab {
  /** Random; it says nothing but "the same as before". */
  readonly id: string;
  /** When the tab came, in milliseconds since 1970 by this device's clock: whoever came later
   *  gives way when two have one colour. */
  readonly since: number;
}

/** Longest name in characters; longer ones are cut. */
export const MAX_NAME_LENGTH = 32;

const STORED_NAME = "collab.name";
const STORED_COLOR = "collab.color";
const STORED_TAB = "collab.tab";

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
  const name = cleanName(read(() => localStorage, STORED_NAME) ?? "");
  if (name) return name;
  const drawn = drawName();
  rememberName(drawn);
  return drawn;
}

/** Keeps the name for the next visit, where the browser allows it. */
export function rememberName(name: string): void {
  write(() => localStorage, STORED_NAME, name);
}

/** The colour this person likes best: chosen here before, or drawn now. What others see may be
 *  another one while somebody has it already (`settleColor`). */
export function rememberedColor(): string {
  const color = read(() => localStorage, STORED_COLOR);
  if (color && PALETTE.includes(color)) return color;
  const [draw = 0] = crypto.getRandomValues(new Uint32Array(1));
  const drawn = colorFor(draw);
  rememberColor(drawn);
  return drawn;
}

/** Keeps the colour for the next visit, where the browser allows it. */
export function rememberColor(color: string): void {
  write(() => localStorage, STORED_COLOR, color);
}

/** This tab; the same one after a reload. */
export function rememberedTab(now: number): Tab {
  const [id, since] = (read(() => sessionStorage, STORED_TAB) ?? "").split(" ");
  if (id && /^[0-9a-z]{16}$/.test(id) && Number(since) > 0 && Number(since) <= now) return { id, since: Number(since) };
  const tab = { id: drawId(), since: now };
  write(() => sessionStorage, STORED_TAB, `${tab.id} ${tab.since}`);
  return tab;
}

/** One or two letters that stand for a name. */
export function initials(name: string): string {
  const words = name.split(" ");
  const first = [...(words[0] ?? "")][0] ?? "";
  const second = words.length > 1 ? ([...(words.at(-1) ?? "")][0] ?? "") : "";
  return (first + second).toUpperCase();
}

/** The colour that stands for a number, the same in every browser. */
export function colorFor(number: number): string {
  return PALETTE[Math.abs(Math.trunc(number)) % PALETTE.length] ?? "#5761df";
}

function drawName(): string {
  const [first = 0, second = 0] = crypto.getRandomValues(new Uint32Array(2));
  return `${ADJECTIVES[first % ADJECTIVES.length]} ${ANIMALS[second % ANIMALS.length]}`;
}

/** 64 random bits. (`crypto.randomUUID` is missing on plain HTTP.) */
function drawId(): string {
  return [...crypto.getRandomValues(new Uint8Array(8))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

// Storage may be switched off; then everything lasts as long as the page.

function read(storage: () => Storage, key: string): string | undefined {
  try {
    return storage().getItem(key) ?? undefined;
  } catch {
    return undefined;
  }
}

function write(storage: () => Storage, key: string, value: string): void {
  try {
    storage().setItem(key, value);
  } catch {
    // See above.
  }
}
