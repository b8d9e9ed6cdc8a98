/** What of the past is on the screen, over the text as it is now: a comparison or a replay, with all
 *  that has to end when it goes. Must not know the drawer around it. */
import { effect, type ReadonlySignal, signal } from "@preact/signals";
import { type Extension, Text } from "@codemirror/state";
import type { Disposable } from "../dom.js";
import type { Activity, Version } from "./answers.js";
import type { HistoryApi, Moment } from "./api.js";
import { type Comparison, mountComparison } from "./comparison.js";
import { createPlayer, type Player } from "./player.js";
import { readReplay } from "./replay-stream.js";
import { mountReplayView } from "./replay-view.js";
import { Since } from "./restore.js";
import type { Tape } from "./tape.js";

interface Common extends Disposable {
  readonly file: string;
  /** Where the text is. */
  readonly element: HTMLElement;
  /** What became of the live text meanwhile. */
  readonly since: Since;
  /** Why there is nothing to see, or not all. */
  readonly problem: ReadonlySignal<string | undefined>;
  /** The text of the past that is on the screen; absent while there is none. */
  earlier(): string | undefined;
}

export interface ComparisonStage extends Common {
  readonly kind: "comparison";
  readonly version: Version;
  readonly comparison: ReadonlySignal<Comparison | undefined>;
}

export interface ReplayStage extends Common {
  readonly kind: "replay";
  /** Where it begins; absent for all that is kept. */
  readonly version: Version | undefined;
  readonly replay: ReadonlySignal<Replay | undefined>;
}

export interface Replay {
  readonly tape: Tape;
  /** How much of it is here. */
  readonly length: ReadonlySignal<number>;
  /** What is known of the part that is not here yet. */
  readonly ahead: ReadonlySignal<Activity | undefined>;
  readonly player: Player;
}

export type Stage = ComparisonStage | ReplayStage;

export interface StageOptions {
  readonly api: Pick<HistoryApi, "text" | "replay" | "activity">;
  readonly file: string;
  readonly fileName: string;
  /** The text as it is now. */
  readonly now: Text;
  readonly wrap: boolean;
  /** The colours of its language. */
  readonly language: () => Promise<Extension>;
}

/** Where the replay of everything begins: nothing is older. */
const BEGINNING: Moment = "t0";

export function compare(version: Version, { api, file, fileName, now, wrap, language }: StageOptions): ComparisonStage {
  const common = begin(file, now);
  const comparison = signal<Comparison | undefined>(undefined);
  let earlier: string | undefined;
  common.run(async (signal) => {
    const [text, colours] = await Promise.all([api.text(version.id, file, signal), coloursOf(language)]);
    if (signal.aborted) return;
    if (text === undefined) {
      common.problem.value = `There was no ${fileName} yet.`;
      return;
    }
    earlier = text;
    comparison.value = mountComparison(common.element, {
      then: Text.of(text.split("\n")),
      now,
      label: `${fileName}, compared with now`,
      wrap,
      language: colours,
    });
  });
  return {
    ...common,
    kind: "comparison",
    version,
    comparison,
    earlier: () => earlier,
    dispose() {
      common.dispose();
      comparison.peek()?.view.destroy();
    },
  };
}

export function replay(version: Version | undefined, { api, file, fileName, now, wrap, language }: StageOptions): ReplayStage {
  const common = begin(file, now);
  const shown = signal<Replay | undefined>(undefined);
  const length = signal(0);
  const ends: (() => void)[] = [];
  const ahead = signal<Activity | undefined>(undefined);
  let asked = false;
  common.run(async (aborted) => {
    const [stream, colours] = await Promise.all([api.replay(file, version?.id ?? BEGINNING, aborted), coloursOf(language)]);
    await readReplay(stream, {
      began(tape) {
        if (aborted.aborted) return;
        const view = mountReplayView(common.element, tape, { label: `${fileName}, as it was`, wrap, language: colours });
        const player = createPlayer(tape);
        ends.push(
          () => view.view.destroy(),
          effect(() => view.show(player.position.value)),
          effect(() => (player.playing.value ? frames(player.passed) : undefined)),
        );
        shown.value = { tape, length, ahead, player };
      },
      grew() {
        const tape = shown.peek()?.tape;
        length.value = tape?.length ?? 0;
        // Only what takes its time to come is worth the question; without an answer nothing is missing.
        if (!tape || tape.ended || asked) return;
        asked = true;
        api.activity(aborted).then((answer) => (ahead.value = answer), () => {});
      },
    });
  });
  return {
    ...common,
    kind: "replay",
    version,
    replay: shown,
    earlier() {
      const now = shown.peek();
      return now?.tape.textAt(now.player.position.peek()).sliceString(0, undefined, "\n");
    },
    dispose() {
      common.dispose();
      for (const end of ends.toReversed()) end();
    },
  };
}

/** What both have in common. `run` is what fills the stage. */
function begin(file: string, now: Text) {
  const element = document.createElement("div");
  element.className = "history-text";
  const problem = signal<string | undefined>(undefined);
  const abort = new AbortController();
  return {
    file,
    element,
    since: new Since(now),
    problem,
    run(fill: (signal: AbortSignal) => Promise<void>) {
      fill(abort.signal).catch((error: unknown) => {
        if (!abort.signal.aborted) problem.value = error instanceof Error ? error.message : String(error);
      });
    },
    dispose: () => abort.abort(),
  };
}

/** A text without its colours is better than none. */
async function coloursOf(language: () => Promise<Extension>): Promise<Extension> {
  return language().catch(() => []);
}

/** Tells how much time passes, frame by frame, until the end. */
function frames(passed: (ms: number) => void): () => void {
  let last = performance.now();
  let next = requestAnimationFrame(function frame(now) {
    // A frame may have begun before it was asked for.
    const ms = Math.max(now - last, 0);
    last = now;
    next = requestAnimationFrame(frame);
    passed(ms);
  });
  return () => cancelAnimationFrame(next);
}
