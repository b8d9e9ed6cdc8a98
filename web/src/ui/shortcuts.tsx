/** The keys that the page knows, as a dialog. Must not know what they do. */
import type { ReadonlySignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";

const apple = /Mac|iPhone|iPad/.test(navigator.platform);
const MOD = apple ? "⌘" : "Ctrl";
const ALT = apple ? "⌥" : "Alt";

const KEYS: readonly (readonly [string, readonly (readonly [string, string])[]])[] = [
  [
    "Completion",
    [
      ["Tab", "Accept"],
      [`${MOD}+→`, "Accept a word"],
      [`${MOD}+${ALT}+→`, "Accept a line"],
      ["Esc", "Dismiss"],
      [`${ALT}+\\`, "Ask for one"],
      [`${ALT}+] / ${ALT}+[`, "Next / previous"],
      ["Ctrl+Space", "List of completions"],
    ],
  ],
  [
    "Text",
    [
      [`${MOD}+Z / ${MOD}+${apple ? "Shift+Z" : "Y"}`, "Undo / redo my edits"],
      [`${MOD}+F`, "Find and replace"],
      [`${MOD}+/`, "Comment"],
      [`${ALT}+↑ / ${ALT}+↓`, "Move lines"],
      [`${MOD}+D`, "Select the next match"],
      [`${MOD}+S`, "Saved by itself; again: download"],
      ["Esc, then Tab", "Leave the text"],
    ],
  ],
  [
    "People and page",
    [
      [`Ctrl+${ALT}+J`, "Go to the next person"],
      [`Ctrl+${ALT}+F`, "Follow the next person"],
      [`Ctrl+${ALT}+S`, "Share"],
      [`Ctrl+${ALT}+H`, "History"],
      [`Ctrl+${ALT}+B`, "Who wrote each line"],
      ["F6", "Next part of the page"],
      ["F1 or ?", "This list (? outside the text)"],
    ],
  ],
];

export interface ShortcutsProps {
  readonly open: ReadonlySignal<boolean>;
  readonly closed: () => void;
}

export function Shortcuts({ open, closed }: ShortcutsProps): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  const isOpen = open.value;
  useEffect(() => {
    if (isOpen) dialog.current?.showModal();
    else dialog.current?.close();
  }, [isOpen]);
  return (
    // Not `onClose`: that comes later, when somebody may have asked for the list again.
    <dialog class="shortcuts" aria-labelledby="shortcuts-title" ref={dialog} onCancel={closed}>
      <h2 id="shortcuts-title">Keyboard shortcuts</h2>
      {KEYS.map(([topic, keys]) => (
        <section key={topic}>
          <h3>{topic}</h3>
          <dl>
            {keys.map(([key, what]) => (
              <div key={key}>
                <dt>
                  <kbd>{key}</kbd>
                </dt>
                <dd>{what}</dd>
              </div>
            ))}
          </dl>
        </section>
      ))}
      <form method="dialog" onSubmit={closed}>
        <button type="submit" class="button" autofocus>
          Close
        </button>
      </form>
    </dialog>
  );
}
