/** What this person chose on this device, as signals that remember themselves. Must not know what
 *  the choices do. */
import { effect, type Signal, signal } from "@preact/signals";
import { STORED, storedSettings, type Theme, THEMES } from "./stored.js";

export type { Theme };

export type LabelMode = "always" | "activity" | "never";

export interface Settings {
  readonly theme: Signal<Theme>;
  /** When the names beside other people's carets are shown. */
  readonly labels: Signal<LabelMode>;
  /** Whether completions are offered unasked. */
  readonly completion: Signal<boolean>;
  /** After so many milliseconds without a keystroke. */
  readonly completionDelayMs: Signal<number>;
  /** Whether long lines continue on the next. */
  readonly wrap: Signal<boolean>;
}

/** Bounds and default of `completionDelayMs`. Longer than 600 ms is not "at once" any more. */
export const DELAY_MS = { least: 75, most: 600, usual: 350 } as const;

const LABEL_MODES: readonly LabelMode[] = ["always", "activity", "never"];

/** Reads what is stored, strictly: anything unexpected is the default. */
export function createSettings(): Settings {
  const stored = storedSettings();
  const delay = stored["completionDelayMs"];
  const settings: Settings = {
    theme: signal(oneOf(THEMES, stored["theme"]) ?? "system"),
    labels: signal(oneOf(LABEL_MODES, stored["labels"]) ?? "activity"),
    completion: signal(stored["completion"] !== false),
    completionDelayMs: signal(
      typeof delay === "number" && delay >= DELAY_MS.least && delay <= DELAY_MS.most ? Math.round(delay) : DELAY_MS.usual,
    ),
    wrap: signal(stored["wrap"] === true),
  };
  effect(() => {
    const values = Object.fromEntries(Object.entries(settings).map(([name, choice]) => [name, choice.value]));
    try {
      localStorage.setItem(STORED, JSON.stringify(values));
    } catch {
      // Storage may be switched off; then a choice lasts as long as the page.
    }
  });
  return settings;
}

function oneOf<T extends string>(choices: readonly T[], value: unknown): T | undefined {
  return choices.find((choice) => choice === value);
}
