/** The parts of a room's screen, for the keyboard. Must not know what is in them. */

/** Parts of the page that F6 goes round, as CSS selectors of what takes the focus. */
const REGIONS = [".cm-content", ".top button, .top a", ".tabs button", ".bottom select", ".history"] as const;

export function nextRegion(backward: boolean): void {
  const parts = REGIONS.flatMap((selector) => document.querySelector<HTMLElement>(selector) ?? []);
  const within = (part: HTMLElement) => part.closest(".editor, .top, .tabs, .bottom, .history")?.contains(document.activeElement) ?? false;
  const at = parts.findIndex(within);
  parts.at((at + (backward ? -1 : 1)) % parts.length)?.focus();
}

/** Whether keys pressed there are text. */
export function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}
