/** The line along which one scrubs through a replay, drawn from what each author did. Must not know
 *  the player. */
import type { ReadonlySignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { Tape } from "./tape.js";

export interface ScrubberProps {
  readonly tape: Tape;
  /** Changes when the tape grows. */
  readonly length: ReadonlySignal<number>;
  readonly position: ReadonlySignal<number>;
  readonly seek: (position: number) => void;
  /** What a screen reader says of a place. */
  readonly say: (position: number) => string;
}

/** So many columns the activity is drawn in. */
const COLUMNS = 200;

/** What each author did in one column, in UTF-16 code units, in the order of the authors. */
export type ActivityColumn = ReadonlyMap<number, number>;

/** The activity of so many changes of a tape, over all that it will have. */
export function activityOf(tape: Tape, columns = COLUMNS): readonly ActivityColumn[] {
  const found: Map<number, number>[] = Array.from({ length: columns }, () => new Map());
  const all = Math.max(tape.expected, 1);
  for (let change = 0; change < tape.length; change += 1) {
    const column = found[Math.min(Math.floor((change / all) * columns), columns - 1)];
    const { inserted, removed } = tape.size(change);
    const writer = tape.writer(change);
    column?.set(writer, (column.get(writer) ?? 0) + inserted + removed);
  }
  return found;
}

export function Scrubber({ tape, length, position, seek, say }: ScrubberProps): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  const all = Math.max(tape.expected, 1);
  const here = length.value;
  useEffect(() => {
    if (canvas.current) draw(canvas.current, tape);
  }, [tape, Math.floor((here / all) * COLUMNS), here === tape.expected]);
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

function draw(canvas: HTMLCanvasElement, tape: Tape): void {
  const context = canvas.getContext("2d");
  if (!context) return;
  const { width, height } = canvas.getBoundingClientRect();
  const scale = Math.min(devicePixelRatio, 2);
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  const columns = activityOf(tape);
  const total = (column: ActivityColumn) => [...column.values()].reduce((sum, units) => sum + units, 0);
  // One paste must not flatten all the typing: heights grow with the square root.
  const most = Math.sqrt(Math.max(1, ...columns.map(total)));
  const step = canvas.width / columns.length;
  for (const [i, column] of columns.entries()) {
    const sum = total(column);
    let top = canvas.height;
    for (const [writer, units] of [...column].sort(([a], [b]) => a - b)) {
      const part = (Math.sqrt(sum) / most) * canvas.height * (units / sum);
      top -= part;
      context.fillStyle = tape.authorAt(writer).color;
      context.fillRect(i * step, top, Math.max(step - scale, 1), part);
    }
  }
}
