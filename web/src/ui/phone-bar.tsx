/** What a phone's keyboard lacks: undo, redo, Tab, brackets, arrows. Must not know the editor. */
import type { JSX } from "preact";
import { Icon, type IconName } from "./icons.js";

export type PhoneKey = "undo" | "redo" | "tab" | "left" | "right" | "find";

export interface PhoneBarProps {
  readonly press: (key: PhoneKey) => void;
  readonly insert: (text: string) => void;
}

const KEYS: readonly (readonly [PhoneKey, IconName, string])[] = [
  ["undo", "undo", "Undo"],
  ["redo", "redo", "Redo"],
  ["find", "search", "Find"],
  ["tab", "tab", "Tab"],
  ["left", "left", "Caret left"],
  ["right", "right", "Caret right"],
];

const CHARACTERS: readonly string[] = ["{", "}", "(", ")", "[", "]", ";", ":", "=", "\"", "'", "_", "<", ">", "/"];

export function PhoneBar(props: PhoneBarProps): JSX.Element {
  // Pressing here must not take the focus, or the phone's keyboard would go away.
  const stay = (event: Event) => event.preventDefault();
  return (
    <div class="phone-bar" role="toolbar" aria-label="Keys" onPointerDown={stay} onMouseDown={stay}>
      {KEYS.map(([key, icon, name]) => (
        <button key={key} type="button" aria-label={name} onClick={() => props.press(key)}>
          <Icon name={icon} />
        </button>
      ))}
      {CHARACTERS.map((text) => (
        <button key={text} type="button" aria-label={`Insert ${text}`} onClick={() => props.insert(text)}>
          {text}
        </button>
      ))}
    </div>
  );
}
