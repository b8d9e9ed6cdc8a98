/**
 * Three editors on one text, over a network that delays and reorders, and a referee who knows who
 * wrote each character. Must not know how undo works.
 *
 * The editors are CodeMirror states bound to the real WASM clients. Beside each client stands a
 * published `Yjs` document with the same updates: in it every character carries its writer's
 * number, so the referee asks neither the editor nor our own code who wrote what.
 */
import { redo, undo } from "@codemirror/commands";
import { type ChangeSpec, EditorState, type Extension, Transaction, type TransactionSpec } from "@codemirror/state";
import * as Y from "yjs";
import { editsOf, plainOffsets, wholeCharacters } from "../../src/editor/binding.js";
import { Client, type Edit, type Effect } from "../../src/wasm/collab_wasm.js";
import { ServerDouble } from "./server-double.js";

/** One UTF-16 unit that is in the text, and which one of all ever written it is. */
interface Unit {
  readonly id: string;
  readonly writer: number;
  readonly unit: string;
}

export type Way = "undo" | "redo";

/** How an editor is put together: the real way, or a wrong one that the referee must notice. */
export interface Build {
  readonly extensions: Extension;
  readonly bringIn: (edits: readonly Edit[]) => TransactionSpec;
  readonly back: Record<Way, (person: Person) => boolean>;
}

export const commands: Build["back"] = {
  undo: (person) => undo(person),
  redo: (person) => redo(person),
};

export class Person {
  state: EditorState;
  readonly mirror = new ServerDouble();
  /** Updates on their way from here, one list for each of the others. */
  readonly toOthers: Uint8Array[][] = [];
  readonly replica: number;
  private readonly client: Client;
  /** Ids of what this person wrote by hand, not by undo. */
  private readonly typed = new Set<string>();
  /** How many of each unit this person took away and has not brought back. */
  private readonly owed = new Map<string, number>();

  constructor(
    replica: number,
    private readonly clock: { now: number },
    private readonly build: Build,
  ) {
    this.client = new Client(replica, 1);
    this.replica = replica;
    this.state = EditorState.create({
      doc: this.client.openFile("main"),
      extensions: [plainOffsets, wholeCharacters, EditorState.allowMultipleSelections.of(true), build.extensions],
    });
    this.mirror.doc.on("update", (update: Uint8Array, origin: unknown) => {
      if (origin === "client") for (const queue of this.toOthers) queue.push(update);
    });
    this.carryOut(this.client.start(0));
    this.carryOut(this.client.opened(0));
    for (const frame of this.mirror.hello()) this.carryOut(this.client.frame(0, frame));
  }

  readonly dispatch = (transaction: Transaction): void => {
    this.state = transaction.state;
    if (transaction.docChanged && !transaction.annotation(Transaction.remote)) {
      this.carryOut(this.client.edit(this.clock.now, "main", editsOf(transaction)));
    }
  };

  get text(): string {
    return this.state.sliceDoc();
  }

  get caret(): number {
    return this.state.selection.main.head;
  }

  /** What the person does with hands: nobody else's business, but remembered. */
  edit(changes: ChangeSpec, userEvent: string): void {
    const before = this.units();
    let anchor = 0;
    const set = this.state.changes(changes);
    set.iterChangedRanges((_from, _to, _fromNew, toNew) => (anchor = toNew));
    this.dispatch(this.state.update({ changes: set, selection: { anchor }, userEvent, annotations: Transaction.time.of(this.clock.now) }));
    const after = this.units();
    this.remember(before, after);
    for (const { id } of without(after, before)) this.typed.add(id);
  }

  /** Takes back or brings back; throws when that was not this person's to do. */
  back(way: Way): boolean {
    const before = this.units();
    const did = this.build.back[way](this);
    const after = this.units();
    for (const { writer, unit } of without(before, after)) {
      if (writer !== this.replica) throw new Error(`${way} by ${this.replica} removed ${unit}, which ${writer} wrote`);
    }
    this.remember(before, after);
    for (const { unit } of without(after, before)) {
      const owed = (this.owed.get(unit) ?? 0) - 1;
      if (owed < 0) throw new Error(`${way} by ${this.replica} brought back ${unit}, which ${this.replica} had not deleted`);
      this.owed.set(unit, owed);
    }
    return did;
  }

  receive(update: Uint8Array): void {
    for (const frame of this.mirror.relay(update)) this.carryOut(this.client.frame(this.clock.now, frame));
  }

  /** What is in the text now, by Yjs. */
  units(): Unit[] {
    const found: Unit[] = [];
    for (let item = this.mirror.text._start; item; item = item.right) {
      if (item.deleted || !(item.content instanceof Y.ContentString)) continue;
      const { client, clock } = item.id;
      // By index: half a surrogate pair is a unit too.
      for (let i = 0; i < item.content.str.length; i += 1) {
        found.push({ id: `${client}:${clock + i}`, writer: client, unit: item.content.str.charAt(i) });
      }
    }
    return found;
  }

  /** What this person once typed and is still there. */
  leftovers(): Unit[] {
    return this.units().filter(({ id }) => this.typed.has(id));
  }

  leave(): void {
    this.client.free();
  }

  private remember(before: readonly Unit[], after: readonly Unit[]): void {
    for (const { unit } of without(before, after)) this.owed.set(unit, (this.owed.get(unit) ?? 0) + 1);
  }

  private carryOut(effects: readonly Effect[]): void {
    for (const effect of effects) {
      if (effect.kind === "send") {
        for (const answer of this.mirror.take(effect.frame)) this.carryOut(this.client.frame(this.clock.now, answer));
      } else if (effect.kind === "changed") {
        this.dispatch(this.state.update(this.build.bringIn(effect.edits)));
      } else if (effect.kind === "reset") {
        throw new Error("the editor and the document fell apart");
      }
    }
  }
}

export class World {
  /** In milliseconds; CodeMirror takes 0 for "nothing yet". */
  readonly clock = { now: 1_000_000 };
  readonly people: readonly Person[];
  private written = 0;

  constructor(build: Build) {
    this.people = [11, 22, 33].map((replica) => new Person(replica, this.clock, build));
    for (const person of this.people) for (const _other of this.people) person.toOthers.push([]);
  }

  person(index: number): Person {
    const found = this.people[index % this.people.length];
    if (!found) throw new Error("nobody");
    return found;
  }

  /** A text whose characters have never been written before; every fourth takes two units. */
  fresh(characters: number): string {
    return Array.from({ length: characters }, () => {
      this.written += 1;
      return String.fromCodePoint((this.written % 4 === 0 ? 0x20_000 : 0x4e_00) + this.written);
    }).join("");
  }

  /** One of the updates on their way between two people arrives, not always the oldest. */
  deliver(from: number, to: number, pick: number): void {
    const sender = this.person(from);
    const queue = sender.toOthers[to % this.people.length];
    if (!queue || from % this.people.length === to % this.people.length) return;
    const [update] = queue.splice(pick % Math.max(queue.length, 1), 1);
    if (update) this.person(to).receive(update);
  }

  settle(): void {
    for (const from of this.people.keys()) {
      for (const to of this.people.keys()) {
        while (from !== to && (this.person(from).toOthers[to]?.length ?? 0) > 0) this.deliver(from, to, 0);
      }
    }
  }

  leave(): void {
    for (const person of this.people) person.leave();
  }
}

/** Those of `units` that `others` does not have. */
function without(units: readonly Unit[], others: readonly Unit[]): Unit[] {
  const ids = new Set(others.map(({ id }) => id));
  return units.filter(({ id }) => !ids.has(id));
}
