/** The page's pictures, drawn with the colour of the text around them. They say nothing to a
 *  screen reader: the control that holds one has a name of its own. */
import type { JSX } from "preact";

const PATHS = {
  plus: "M8 3v10M3 8h10",
  list: "M5.5 4h8M5.5 8h8M5.5 12h8M2.5 4h.01M2.5 8h.01M2.5 12h.01",
  close: "M4 4l8 8M12 4l-8 8",
  more: "M3.5 8h.01M8 8h.01M12.5 8h.01",
  check: "M3 8.5l3.2 3.2L13 5",
  copy: "M6 5.5h7v8H6zM3.5 10.5h-.5v-8h7v.5",
  share: "M8 10V2.5M5 5l3-3 3 3M3.5 8.5v5h9v-5",
  settings: "M2.5 5h6M12.5 5h1M10.5 3.2v3.6M2.5 11h2M8.5 11h5M6.5 9.2v3.6",
  undo: "M5.5 3L2.5 6l3 3M2.5 6H10a3.5 3.5 0 010 7H7",
  redo: "M10.5 3l3 3-3 3M13.5 6H6a3.5 3.5 0 000 7h3",
  eye: "M1.5 8S4 3.5 8 3.5 14.5 8 14.5 8 12 12.5 8 12.5 1.5 8 1.5 8zM8 6.2a1.8 1.8 0 100 3.6 1.8 1.8 0 000-3.6z",
  search: "M7 2.5a4.5 4.5 0 100 9 4.5 4.5 0 000-9zM10.5 10.5l3 3",
  left: "M10 3L5 8l5 5",
  right: "M6 3l5 5-5 5",
  tab: "M2.5 8h8M7.5 4.5L11 8l-3.5 3.5M13.5 3.5v9",
  help: "M6 6a2 2 0 113.2 1.6C8.4 8.2 8 8.6 8 9.5M8 12h.01",
  people: "M6 7.5a2.2 2.2 0 100-4.4 2.2 2.2 0 000 4.4zM1.8 13c.3-2.3 2-3.6 4.2-3.6s3.9 1.3 4.2 3.6M10.5 7.2a2 2 0 000-4M11.7 9.6c1.4.4 2.3 1.6 2.5 3.4",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { readonly name: IconName }): JSX.Element {
  return (
    <svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}
