/** Loads the completion engine when it is first asked for; nobody waits for it to type. Must not
 *  know the editor. */
import init, { type Suggestion, suggest, unaskedScore } from "../wasm/collab_suggest.js";
import wasmUrl from "../wasm/collab_suggest_bg.wasm?url";

export interface Engine {
  /** What could stand at `caret` (UTF-16 units) of `text`, best first. */
  suggest(text: string, caret: number, language: string, max: number): readonly Suggestion[];
  /** A suggestion that scores at least this is worth showing to someone who only paused. */
  readonly unaskedScore: number;
}

let loading: Promise<Engine> | undefined;

export function loadEngine(): Promise<Engine> {
  loading ??= init({ module_or_path: wasmUrl }).then(
    () => ({ suggest, unaskedScore: unaskedScore() }),
    (error: unknown) => {
      loading = undefined;
      throw error;
    },
  );
  return loading;
}
