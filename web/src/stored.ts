/** What this device remembers of the person's choices, as far as a text looks different for it: read
 *  before the first one is painted. Must not know the other settings, nor who changes them. */

export type Theme = "system" | "light" | "dark";

export const THEMES: readonly Theme[] = ["system", "light", "dark"];

/** The key in `localStorage`. */
export const STORED = "collab.settings";

/** Everything stored, as it is. */
export function storedSettings(): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(STORED) ?? "{}");
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** How a text is to look. */
export function storedLook(): { readonly theme: Theme; readonly wrap: boolean } {
  const { theme, wrap } = storedSettings();
  return { theme: THEMES.find((one) => one === theme) ?? "system", wrap: wrap === true };
}
