/** People in a room who type and move about without end: Yjs clients, each with a caret. Must not know
 *  who looks at them. */
import { Guest } from "../e2e/harness/guest.js";
import * as Y from "yjs";

/** Between two keys of one person: 5 keys a second, brisk. */
const KEY_EVERY_MS = 200;

/** What each writes below the line they are at, before they take it all back, so that the text
 *  stays as long as it is. */
const WRITING = "\n    value = count * 3 + total";

const COLORS = ["#1a7f37", "#0969da", "#8250df", "#bf3989", "#bc4c00", "#9a6700", "#0a7ea4", "#cf222e", "#57606a", "#116329"];

interface Someone {
  readonly guest: Guest;
  readonly line: Y.RelativePosition;
  /** Letters written since the line was empty, and steps of the caret since it was full. */
  typed: number;
  moved: number;
}

export class Crowd {
  private constructor(
    private readonly people: readonly Someone[],
    private readonly timer: NodeJS.Timeout,
  ) {}

  /** One person at each of these offsets. */
  static async enter(server: URL, room: string, places: readonly number[]): Promise<Crowd> {
    const people: Someone[] = [];
    for (const place of places) {
      const guest = new Guest(server, room);
      await guest.synced();
      people.push({ guest, line: guest.at(place), typed: 0, moved: people.length % 2 === 0 ? 0 : WRITING.length });
    }
    let next = 0;
    // One after another rather than all at once, as it comes in life.
    const timer = setInterval(() => {
      const person = people[next];
      next = (next + 1) % people.length;
      if (person) act(person, next);
    }, KEY_EVERY_MS / places.length);
    return new Crowd(people, timer);
  }

  get size(): number {
    return this.people.length;
  }

  async leave(): Promise<void> {
    clearInterval(this.timer);
    for (const { guest } of this.people) await guest.leave();
  }
}

/** Half of the time a letter, the other half a step of the caret: never are all at the same. */
function act(person: Someone, number: number): void {
  const { guest } = person;
  const start = Y.createAbsolutePositionFromRelativePosition(person.line, guest.doc)?.index;
  if (start === undefined) return;
  const { length } = WRITING;
  if (person.moved > 0) {
    person.moved -= 1;
    if (person.moved === 0) {
      guest.text().delete(start, person.typed);
      person.typed = 0;
    }
  } else {
    guest.text().insert(start + person.typed, WRITING.charAt(person.typed));
    person.typed += 1;
    if (person.typed === length) person.moved = length;
  }
  const head = start + (person.moved > 0 ? Math.min(person.moved, person.typed) : person.typed);
  guest.is(`Person ${number}`, COLORS[number % COLORS.length] ?? "#57606a", head);
}
