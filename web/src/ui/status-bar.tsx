/** The bar below the text: language, indentation, where the caret is, whom one follows. Must not
 *  know how languages are found or stored. */
import type { ReadonlySignal } from "@preact/signals";
import type { JSX } from "preact";

export interface Choice {
  readonly id: string;
  readonly name: string;
}

export interface Position {
  readonly line: number;
  readonly column: number;
  /** UTF-16 code units in all selections. */
  readonly selected: number;
}

/** What the text is coloured as. */
export interface Coloured {
  /** What somebody said; absent when nobody did. */
  readonly chosen: Choice | undefined;
  /** What the text looks like. */
  readonly found: Choice;
}

export interface StatusBarProps {
  readonly languages: readonly Choice[];
  readonly language: ReadonlySignal<Coloured>;
  /** The person chose; `undefined` means "find out". */
  readonly chooseLanguage: (id: string | undefined) => void;
  readonly indents: readonly Choice[];
  readonly indent: ReadonlySignal<string>;
  readonly chooseIndent: (id: string) => void;
  readonly position: ReadonlySignal<Position>;
  readonly readOnly: ReadonlySignal<boolean>;
  readonly showHistory: () => void;
}

const FIND_OUT = "auto";

export function StatusBar(props: StatusBarProps): JSX.Element {
  const { chosen, found } = props.language.value;
  return (
    <footer class="bottom" aria-label="Status">
      <select
        aria-label="Language"
        value={chosen?.id ?? FIND_OUT}
        onChange={(event) => {
          const { value } = event.currentTarget;
          props.chooseLanguage(value === FIND_OUT ? undefined : value);
        }}
      >
        <option value={FIND_OUT}>{found.name} (detected)</option>
        {props.languages.map(({ id, name }) => (
          <option key={id} value={id}>
            {name}
          </option>
        ))}
      </select>
      <select aria-label="Indentation" value={props.indent.value} onChange={(event) => props.chooseIndent(event.currentTarget.value)}>
        {props.indents.map(({ id, name }) => (
          <option key={id} value={id}>
            {name}
          </option>
        ))}
      </select>
      <button type="button" class="link" onClick={props.showHistory}>
        History
      </button>
      {props.readOnly.value ? <span class="read-only">Read only</span> : null}
      <Place position={props.position} />
    </footer>
  );
}

/** By itself, because it changes with every keystroke. */
function Place({ position }: { readonly position: ReadonlySignal<Position> }): JSX.Element {
  const { line, column, selected } = position.value;
  return (
    <span class="position" aria-hidden="true">
      Ln {line}, Col {column}
      {selected > 0 ? ` (${selected} selected)` : ""}
    </span>
  );
}
