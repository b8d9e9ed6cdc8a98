/** The room's screen, without what is in it: a bar above, the text, a bar below. Must not know
 *  what the parts do. */
import { type Disposable, element } from "../dom.js";

export interface Frame extends Disposable {
  readonly title: HTMLElement;
  readonly people: HTMLElement;
  readonly actions: HTMLElement;
  readonly pill: HTMLElement;
  readonly editor: HTMLElement;
  readonly language: HTMLElement;
  readonly position: HTMLElement;
}

export function mountFrame(parent: HTMLElement): Frame {
  const title = element("h1", { class: "room-name" });
  const people = element("div", { class: "people" });
  const actions = element("div", { class: "actions" });
  const pill = element("div", { class: "pill-place" });
  const editor = element("main", { class: "editor" });
  const language = element("div", { class: "language" });
  const position = element("div", { class: "position", "aria-hidden": "true" });
  const screen = element(
    "div",
    { class: "room" },
    element(
      "header",
      { class: "top" },
      element("a", { class: "home", href: "./", "aria-label": "Start page" }, element("img", { src: "./favicon.svg", alt: "", width: "24", height: "24" })),
      title,
      pill,
      people,
      actions,
    ),
    editor,
    element("footer", { class: "bottom" }, language, position),
  );
  parent.append(screen);
  return { title, people, actions, pill, editor, language, position, dispose: () => screen.remove() };
}
