/** Times of the past in words, in the language of the browser. Must not know the history. */

const TIME = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const SECONDS = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const DAY = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });
const DAY_AND_YEAR = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "long", year: "numeric" });
const SHORT_DAY = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });

/** The time of a day. */
export function timeOf(at: number): string {
  return TIME.format(at);
}

/** A day, as somebody would call it at `now`. */
export function dayOf(at: number, now: number): string {
  const days = Math.round((midnight(now) - midnight(at)) / 86_400_000);
  if (days === 0) return "Today";
  if (days === 1) return "Yesterday";
  return new Date(at).getFullYear() === new Date(now).getFullYear() ? DAY.format(at) : DAY_AND_YEAR.format(at);
}

/** A time in few characters: today's hour, or the day. */
export function shortly(at: number, now: number): string {
  return midnight(at) === midnight(now) ? TIME.format(at) : SHORT_DAY.format(at);
}

/** A time that can be the middle of a sentence. */
export function momentOf(at: number, now: number): string {
  const day = dayOf(at, now);
  return day === "Today" ? timeOf(at) : `${day}, ${timeOf(at)}`;
}

/** The same to the second. */
export function exactly(at: number, now: number): string {
  const day = dayOf(at, now);
  return day === "Today" ? SECONDS.format(at) : `${day}, ${SECONDS.format(at)}`;
}

/** Names as one would say them, the rest counted. */
export function spoken(names: readonly string[], most = 3): string {
  const shown = names.length > most ? [...names.slice(0, most - 1), `${names.length - most + 1} more`] : names;
  return shown.length < 2 ? (shown[0] ?? "") : `${shown.slice(0, -1).join(", ")} and ${shown.at(-1)}`;
}

/** A count with its noun. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString()} ${count === 1 ? one : many}`;
}

function midnight(at: number): number {
  return new Date(at).setHours(0, 0, 0, 0);
}
