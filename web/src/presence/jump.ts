/** Brings the person to where somebody else is; their own caret stays. Must not know the session. */
import type { Extension } from "@codemirror/state";
import { EditorView, keymap } from "@codemirror/view";
import { caretsIn, flashCaret } from "./carets.js";

/** Scrolls to somebody's caret and shows whose it is. False when they have none in this text. */
export function jumpToCaret(view: EditorView, replica: number): boolean {
  const head = caretsIn(view.state).find((caret) => caret.replica === replica)?.ranges[0]?.head;
  if (head === undefined) return false;
  view.dispatch({ effects: [EditorView.scrollIntoView(head, { y: "center", x: "nearest" }), flashCaret.of(replica)] });
  return true;
}

export interface JumpKeys {
  /** Everybody who can be jumped to and followed, in the order in which it goes round. */
  readonly replicas: () => readonly number[];
  readonly jump: (replica: number) => void;
  readonly follow: (replica: number) => void;
}

/** Ctrl+Alt+J goes to the next person's caret, Ctrl+Alt+F follows the next person. */
export function jumpKeys({ replicas, jump, follow }: JumpKeys): Extension {
  const jumped = round(replicas);
  const followed = round(replicas);
  const run = (next: () => number | undefined, go: (replica: number) => void) => () => {
    const replica = next();
    if (replica !== undefined) go(replica);
    return true;
  };
  return keymap.of([
    { key: "Ctrl-Alt-j", run: run(jumped, jump), preventDefault: true },
    { key: "Ctrl-Alt-f", run: run(followed, follow), preventDefault: true },
  ]);
}

/** Each one in turn, whoever comes and goes meanwhile. */
export function round(replicas: () => readonly number[]): () => number | undefined {
  let last: number | undefined;
  return () => {
    const now = [...replicas()].sort((a, b) => a - b);
    const after = last;
    last = after === undefined ? now[0] : (now.find((replica) => replica > after) ?? now[0]);
    return last;
  };
}
