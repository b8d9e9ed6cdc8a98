/** Loads the completion engine when it is first asked for; nobody waits for it to type. Must not
 *  know the editor. */
import type { Suggestion } from "../wasm/collab_suggest.js";

export interface Engine {
  /** What could stand at `caret` (UTF-16 units) of `text`, best first. */
  suggest(text: string, caret: number, language: string, max: number): readonly Suggestion[];
  /** A suggestion that scores at least this is worth showing to someone who only paused. */
  readonly unaskedScore: number;
}

let loading: Promise<Engine> | undefined;

/** Once; again after it failed. */
export function loadEngine(): Promise<Engine> {
  loading ??= load().catch((error: unknown) => {
    loading = undefined;
    throw error;
  });
  return loading;
}

async function load(): Promise<Engine> {
  // Imported here, so that neither the code nor the WASM is among what the page begins with.
  const [{ default: init, suggest, unaskedScore }, { default: url }] = await Promise.all([
    import("../wasm/collab_suggest.js"),
    import("../wasm/collab_suggest_bg.wasm?url"),
  ]);
  await init({ module_or_path: url });
  return { suggest, unaskedScore: unaskedScore() };
}
