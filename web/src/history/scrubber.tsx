/** The line along which one scrubs through a replay, drawn from what each author did. Must not know
 *  the player. */
import type { ReadonlySignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { type Activity, authorAt } from "./answers.js";
import type { Tape } from "./tape.js";

export interface ScrubberProps {
  readonly tape: Tape;
  /** Changes when the tape grows. */
  readonly length: ReadonlySignal<number>;
  /** What the server knows of the part that is not here yet. */
  readonly ahead: ReadonlySignal<Activity | undefined>;
  readonly position: ReadonlySignal<number>;
  readonly seek: (position: number) => void;
  /** What a screen reader says of a place. */
  readonly say: (position: number) => string;
}

/** So many columns the activity is drawn in. */
const COLUMNS = 200;

/** What each colour did in one column, in UTF-16 code units. */
export type ActivityColumn = ReadonlyMap<string, number>;

/** The activity of a tape, over all that it will have. What has not come yet is drawn from what the server says was
 *  written after that, as if each change wrote as much as another. */
export function activityOf(tape: Tape, ahead: Activity | undefined, columns = COLUMNS): readonly ActivityColumn[] {
  const found: Map<string, number>[] = Array.from({ length: columns }, () => new Map());
  const all = Math.max(tape.expected, 1);
  const add = (place: number, color: string, units: number) => {
    const column = found[Math.min(Math.floor((place / all) * columns), columns - 1)];
    column?.set(color, (column.get(color) ?? 0) + units);
  };
  for (let change = 0; change < tape.length; change += 1) {
    const { inserted, removed } = tape.size(change);
    add(change, tape.author(change).color, inserted + removed);
  }
  if (!ahead || tape.ended) return found;
  const here = tape.timeAt(tape.length);
  const rest = ahead.buckets.filter((_, i) => ahead.from + (i + 1) * ahead.bucketMs > here);
  const units = rest.flat().reduce((sum, [, units]) => sum + units, 0);
  let place = tape.length;
  for (const bucket of rest) {
    for (const [author, written] of bucket) {
      const changes = (written / units) * (all - tape.length);
      // A stretch may be wider than a column, and narrower.
      const parts = Math.max(Math.ceil((changes / all) * columns), 1);
      for (let i = 0; i < parts; i += 1) add(place + (i / parts) * changes, authorAt(ahead.authors, author).color, written / parts);
      place += changes;
    }
  }
  return found;
}

export function Scrubber({ tape, length, ahead, position, seek, say }: ScrubberProps): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  const all = Math.max(tape.expected, 1);
  const here = length.value;
  const known = ahead.value;
  useEffect(() => {
    if (canvas.current) draw(canvas.current, activityOf(tape, known));
  }, [tape, known, Math.floor((here / all) * COLUMNS), here === tape.expected]);
  const at = position.value;
  return (
    <div class="scrubber" ref={(element) => element?.style.setProperty("--played", `${(at / all) * 100}%`)}>
      <canvas ref={canvas} aria-hidden="true" />
      <input
        type="range"
        aria-label="Place in the replay"
        aria-valuetext={say(at)}
        min="0"
        max={all}
        step="1"
        value={at}
        onInput={(event) => seek(event.currentTarget.valueAsNumber)}
      />
    </div>
  );
}

function draw(canvas: HTMLCanvasElement, columns: readonly ActivityColumn[]): void {
  const context = canvas.getContext("2d");
  if (!context) return;
  const { width, height } = canvas.getBoundingClientRect();
  const scale = Math.min(devicePixelRatio, 2);
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  const total = (column: ActivityColumn) => [...column.values()].reduce((sum, units) => sum + units, 0);
  // One paste must not flatten all the typing: heights grow with the square root.
  const most = Math.sqrt(Math.max(1, ...columns.map(total)));
  const step = canvas.width / columns.length;
  for (const [i, column] of columns.entries()) {
    const sum = total(column);
    let top = canvas.height;
    for (const [color, units] of [...column].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const part = (Math.sqrt(sum) / most) * canvas.height * (units / sum);
      top -= part;
      context.fillStyle = color;
      context.fillRect(i * step, top, Math.max(step - scale, 1), part);
    }
  }
}
