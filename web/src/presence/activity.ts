/** Whether somebody is at this page: not idle while there was input lately and it can be seen.
 *  Must not know who wants to know. */
import type { Disposable } from "../dom.js";

/** Without input for this long somebody is idle, in milliseconds. */
export const IDLE_MS = 45_000;

/** What counts as input. */
const INPUT = ["pointerdown", "pointermove", "keydown", "wheel", "touchstart", "input", "focus"] as const;

/** Tells `changed` of every change, first from "active"; at once when somebody is back. */
export function watchActivity(changed: (idle: boolean) => void, idleMs = IDLE_MS): Disposable {
  let idle = false;
  let last = Date.now();
  let timer: ReturnType<typeof setTimeout> | undefined;

  function become(next: boolean): void {
    if (idle === next) return;
    idle = next;
    changed(idle);
  }

  /** One timer, however much input there is: it looks again when it could be time. */
  function watch(): void {
    clearTimeout(timer);
    timer = setTimeout(() => {
      timer = undefined;
      if (Date.now() - last >= idleMs) become(true);
      else watch();
    }, Math.max(last + idleMs - Date.now(), 0));
  }

  function active(): void {
    last = Date.now();
    if (document.hidden) return;
    become(false);
    if (timer === undefined) watch();
  }

  function seen(): void {
    if (document.hidden) become(true);
    else active();
  }

  for (const kind of INPUT) addEventListener(kind, active, { passive: true, capture: true });
  document.addEventListener("visibilitychange", seen);
  watch();
  if (document.hidden) become(true);
  return {
    dispose() {
      clearTimeout(timer);
      for (const kind of INPUT) removeEventListener(kind, active, { capture: true });
      document.removeEventListener("visibilitychange", seen);
    },
  };
}
