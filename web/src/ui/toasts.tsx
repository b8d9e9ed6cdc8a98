/** Short sentences that come and go by themselves. Must not know about what; they are spoken by
 *  the page's live region, not here. */
import { type ReadonlySignal, signal } from "@preact/signals";
import type { JSX } from "preact";

/** How long one stays, in milliseconds. */
const STAY_MS = 4_000;

/** The same for one that can be pressed. */
const STAY_WITH_ACTION_MS = 12_000;

/** More than this many at once push the oldest out. */
const MAX_TOASTS = 3;

interface Toast {
  readonly id: number;
  readonly text: string;
  readonly action: Action | undefined;
}

/** A button beside the sentence. */
export interface Action {
  readonly label: string;
  readonly press: () => void;
}

export interface Toasts {
  readonly list: ReadonlySignal<readonly Toast[]>;
  show(text: string, action?: Action): void;
  dismiss(id: number): void;
}

export function createToasts(): Toasts {
  const list = signal<readonly Toast[]>([]);
  let next = 0;
  function dismiss(id: number): void {
    list.value = list.value.filter((toast) => toast.id !== id);
  }
  return {
    list,
    show(text, action) {
      const id = next++;
      list.value = [...list.value, { id, text, action }].slice(-MAX_TOASTS);
      setTimeout(() => dismiss(id), action ? STAY_WITH_ACTION_MS : STAY_MS);
    },
    dismiss,
  };
}

export function ToastList({ toasts }: { readonly toasts: Toasts }): JSX.Element {
  return (
    <div class="toasts" role="region" aria-label="Messages">
      {toasts.list.value.map(({ id, text, action }) => (
        <div key={id} class="toast">
          <span>{text}</span>
          {action ? (
            <button type="button" class="link" onClick={() => {
                toasts.dismiss(id);
                action.press();
              }}>
              {action.label}
            </button>
          ) : null}
        </div>
      ))}
    </div>
  );
}
