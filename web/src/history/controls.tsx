/** What a replay is steered with: play, step, speed and the scrubber. Must not know the text. */
import type { ReadonlySignal } from "@preact/signals";
import type { JSX } from "preact";
import type { Activity } from "./answers.js";
import { exactly } from "./moments.js";
import { type Player, SPEEDS } from "./player.js";
import { Scrubber } from "./scrubber.js";
import type { Tape } from "./tape.js";

export interface ControlsProps {
  readonly tape: Tape;
  /** How much of the tape is here; changes when it grows. */
  readonly length: ReadonlySignal<number>;
  /** What is known of the rest. */
  readonly ahead: ReadonlySignal<Activity | undefined>;
  readonly player: Player;
}

export function Controls({ tape, length, ahead, player }: ControlsProps): JSX.Element {
  const at = player.position.value;
  const playing = player.playing.value;
  const here = length.value;
  const all = tape.expected;
  return (
    <div class="replay-controls" role="group" aria-label="Replay">
      <Scrubber tape={tape} length={length} ahead={ahead} position={player.position} seek={(to) => player.seek(to)} say={(to) => `Change ${to} of ${all}, ${said(tape, to)}`} />
      <div class="replay-row">
        <button type="button" class="icon-button" aria-label="Back to the beginning" title="Home" onClick={() => player.step(-all)}>
          <Shape path="M4 3v10M13 3L6.5 8l6.5 5z" />
        </button>
        <button type="button" class="icon-button" aria-label="One change back" title="←" onClick={() => player.step(-1)}>
          <Shape path="M11 3L4.5 8l6.5 5z" />
        </button>
        <button type="button" class="icon-button play" aria-label={playing ? "Pause" : "Play"} title="Space" onClick={() => player.toggle()}>
          <Shape path={playing ? "M5 3v10M11 3v10" : "M4.5 2.5v11L13 8z"} />
        </button>
        <button type="button" class="icon-button" aria-label="One change on" title="→" onClick={() => player.step(1)}>
          <Shape path="M5 3l6.5 5L5 13z" />
        </button>
        <button type="button" class="icon-button" aria-label="On to the end" title="End" onClick={() => player.step(all)}>
          <Shape path="M12 3v10M3 3l6.5 5L3 13z" />
        </button>
        <select class="field" aria-label="Speed" value={String(player.speed.value)} onChange={(event) => player.setSpeed(Number(event.currentTarget.value))}>
          {SPEEDS.map((speed) => (
            <option key={speed} value={String(speed)}>
              {speed}×
            </option>
          ))}
        </select>
        <span class="replay-place">
          <span class="nowrap">
            {at.toLocaleString()} of {all.toLocaleString()}
          </span>{" "}
          <span class="replay-said">{said(tape, at)}</span>
          {here < all && tape.cut === undefined ? <span class="nowrap"> · {Math.floor((here / all) * 100)} % loaded</span> : null}
        </span>
      </div>
      {tape.cut === undefined ? null : <p class="history-problem">{tape.cut}</p>}
    </div>
  );
}

/** When it was, and who did what. */
function said(tape: Tape, at: number): string {
  const when = exactly(tape.timeAt(at), Date.now());
  if (at === 0) return when;
  const { inserted, removed } = tape.size(at - 1);
  const what = inserted > 0 ? `wrote ${inserted.toLocaleString()}` : `removed ${removed.toLocaleString()}`;
  return `${when} · ${tape.author(at - 1).name} ${what}`;
}

function Shape({ path }: { readonly path: string }): JSX.Element {
  return (
    <svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false">
      <path d={path} />
    </svg>
  );
}
