/** The start: make a room, or go to one. Must not know how either is done. */
import { type Disposable, element } from "../dom.js";

export interface StartOptions {
  /** Makes a room and goes there; rejects with an `Error` whose message a person can read. */
  readonly create: () => Promise<void>;
  /** Goes to the room that a link or name means; false when it means none. */
  readonly join: (input: string) => boolean;
  /** Said at once, when an address led nowhere. */
  readonly problem: string | undefined;
}

export function mountStart(parent: HTMLElement, options: StartOptions): Disposable {
  const create = element("button", { type: "submit", class: "button primary large", autofocus: "" }, "New room");
  const make = element("form", { class: "start-make" }, create);

  const input = element("input", {
    id: "join-room",
    class: "field",
    type: "text",
    placeholder: "Paste a link, or type a room's name",
    autocomplete: "off",
    autocapitalize: "off",
    spellcheck: "false",
    enterkeyhint: "go",
  });
  const join = element(
    "form",
    { class: "start-join" },
    element("label", { for: "join-room" }, "Join a room"),
    element("div", { class: "row" }, input, element("button", { type: "submit", class: "button" }, "Join")),
  );
  const problem = element("p", { class: "problem", role: "alert" }, options.problem);

  make.addEventListener("submit", (event) => {
    event.preventDefault();
    problem.textContent = "";
    create.disabled = true;
    options.create().catch((error: unknown) => {
      problem.textContent = error instanceof Error ? error.message : String(error);
      create.disabled = false;
      create.focus();
    });
  });
  join.addEventListener("submit", (event) => {
    event.preventDefault();
    const found = options.join(input.value);
    problem.textContent = found ? "" : "That is neither a link to a room nor a name for one.";
    if (!found) input.focus();
  });

  const screen = element(
    "main",
    { class: "start" },
    element("img", { src: "./favicon.svg", alt: "", width: "56", height: "56" }),
    element("h1", {}, "Collab"),
    element("p", { class: "lead" }, "Write code together. Everyone's edits merge; nobody's are lost."),
    make,
    join,
    problem,
  );
  parent.append(screen);
  create.focus();
  return { dispose: () => screen.remove() };
}
