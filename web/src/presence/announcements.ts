/**
 * What to say of people who come and go: who reloads has not left, several are one sentence, and
 * there is never a flood. Decides only; must not know how it is said, nor look at a clock.
 */

export interface Somebody {
  readonly name: string;
  readonly color: string;
  /** The tab, as far as it says so. */
  readonly id: string | undefined;
}

/** Who is back within this time has not left, in milliseconds: long enough for a reload. */
export const RETURN_MS = 4_000;

/** What happens within this time of the first is said together, in milliseconds. */
const GATHER_MS = 700;

/** Least time between two sentences, in milliseconds: each of them must be heard out. */
const BETWEEN_MS = 3_000;

/** After connecting the others come one by one, for this long at most, in milliseconds: they were
 *  here before. */
export const SETTLE_MS = 2_000;

/** So many are named; of more the first two. */
const MAX_NAMES = 3;

export class Announcements {
  private readonly here = new Map<number, Somebody>();
  private leaving: { readonly who: Somebody; readonly until: number }[] = [];
  private joined: { readonly replica: number; readonly at: number }[] = [];
  private left: { readonly name: string; readonly at: number }[] = [];
  /** Until then nothing is news; for ever while this page is cut off itself. */
  private silentUntil = Infinity;
  private lastSaid = -Infinity;

  /** The connection to the room is open now, or lost. */
  connected(now: number, isOpen: boolean): void {
    if (!isOpen) {
      this.silentUntil = Infinity;
      // It is told after everybody has vanished with the connection; they have not left.
      this.leaving = [];
    } else if (this.silentUntil === Infinity) this.silentUntil = now + SETTLE_MS;
  }

  /** Somebody is here, perhaps under another name than before; `undefined` when they are gone. */
  seen(now: number, replica: number, who: Somebody | undefined): void {
    const before = this.here.get(replica);
    if (who) {
      this.here.set(replica, who);
      if (!before) this.came(now, replica, who);
    } else if (before) {
      this.here.delete(replica);
      this.went(now, replica, before);
    }
  }

  /** When to ask `due`. */
  nextDeadline(): number | undefined {
    const said = [...this.joined, ...this.left].map(({ at }) => Math.max(at + GATHER_MS, this.lastSaid + BETWEEN_MS));
    const deadlines = [...said, ...this.leaving.map(({ until }) => until)];
    return deadlines.length > 0 ? Math.min(...deadlines) : undefined;
  }

  /** What to say now, if anything. */
  due(now: number): string | undefined {
    for (const { who, until } of this.leaving) if (until <= now) this.left.push({ name: who.name, at: until });
    this.leaving = this.leaving.filter(({ until }) => until > now);
    const first = Math.min(...[...this.joined, ...this.left].map(({ at }) => at));
    if (first === Infinity || now < Math.max(first + GATHER_MS, this.lastSaid + BETWEEN_MS)) return undefined;
    const joined = this.joined.flatMap(({ replica }) => this.here.get(replica)?.name ?? []);
    const left = this.left.map(({ name }) => name);
    this.joined = [];
    this.left = [];
    this.lastSaid = now;
    return [sentence(joined, "joined"), sentence(left, "left")].filter((one) => one !== "").join(" ");
  }

  private came(now: number, replica: number, who: Somebody): void {
    const returned = this.leaving.findIndex(({ who: gone }) => isSame(gone, who));
    if (returned >= 0) this.leaving.splice(returned, 1);
    // A tab whose old connection is still thought to be alive is here already.
    else if (now >= this.silentUntil && !this.isElsewhere(replica, who)) this.joined.push({ replica, at: now });
  }

  private went(now: number, replica: number, who: Somebody): void {
    const joining = this.joined.findIndex((one) => one.replica === replica);
    // Come and gone before anybody heard of it.
    if (joining >= 0) this.joined.splice(joining, 1);
    else if (now >= this.silentUntil && !this.isElsewhere(replica, who)) this.leaving.push({ who, until: now + RETURN_MS });
  }

  /** Whether the same tab is here under another number. */
  private isElsewhere(replica: number, { id }: Somebody): boolean {
    return id !== undefined && [...this.here].some(([other, who]) => other !== replica && who.id === id);
  }
}

function isSame(a: Somebody, b: Somebody): boolean {
  return (a.id !== undefined && a.id === b.id) || (a.name === b.name && a.color === b.color);
}

function sentence(names: readonly string[], verb: string): string {
  if (names.length === 0) return "";
  const shown = names.length > MAX_NAMES ? [...names.slice(0, 2), `${names.length - 2} others`] : names;
  const last = shown.at(-1);
  return `${shown.length > 1 ? `${shown.slice(0, -1).join(", ")} and ${last}` : last} ${verb}.`;
}

export interface Announcer {
  connected(isOpen: boolean): void;
  seen(replica: number, who: Somebody | undefined): void;
  dispose(): void;
}

/** Carries it out, on the page's clock. */
export function announcePeople(say: (text: string) => void): Announcer {
  const announcements = new Announcements();
  let timer: ReturnType<typeof setTimeout> | undefined;

  function look(): void {
    clearTimeout(timer);
    const text = announcements.due(Date.now());
    if (text !== undefined) say(text);
    const next = announcements.nextDeadline();
    if (next !== undefined) timer = setTimeout(look, Math.max(next - Date.now(), 0));
  }

  return {
    connected(isOpen) {
      announcements.connected(Date.now(), isOpen);
    },
    seen(replica, who) {
      announcements.seen(Date.now(), replica, who);
      look();
    },
    dispose: () => clearTimeout(timer),
  };
}
