/** Who is here, as a row of badges, and the person's own name to be changed. Must not know where
 *  people come from. */
import { type Disposable, element } from "../dom.js";

/** Badges before the rest becomes a number. */
const MAX_BADGES = 5;

export interface Shown {
  readonly name: string;
  readonly color: string;
}

export interface PeopleOptions {
  readonly me: Shown;
  readonly maxNameLength: number;
  /** Takes a new name; returns the one that counts from now on. */
  readonly rename: (name: string) => string;
}

export interface People extends Disposable {
  show(me: Shown, others: readonly Shown[]): void;
}

export function mountPeople(parent: HTMLElement, options: PeopleOptions): People {
  const others = element("ul", { class: "badges", "aria-label": "People here" });
  const dot = element("span", { class: "dot", "aria-hidden": "true" });
  const name = element("input", {
    class: "my-name",
    type: "text",
    "aria-label": "Your name",
    title: "Your name, as others see it",
    maxlength: String(options.maxNameLength),
    autocomplete: "off",
    spellcheck: "false",
    value: options.me.name,
  });
  const me = element("label", { class: "me" }, dot, name);
  parent.append(others, me);

  name.addEventListener("change", () => {
    name.value = options.rename(name.value);
  });
  name.addEventListener("keydown", (event) => {
    if (event.key === "Enter" || event.key === "Escape") name.blur();
  });

  return {
    show(mine, list) {
      me.style.setProperty("--person", mine.color);
      if (document.activeElement !== name) name.value = mine.name;
      const badges = list.slice(0, MAX_BADGES).map(badge);
      if (list.length > MAX_BADGES) {
        const rest = list.slice(MAX_BADGES);
        const names = rest.map((person) => person.name).join(", ");
        badges.push(element("li", { class: "badge more", title: names, "aria-label": names }, `+${rest.length}`));
      }
      others.replaceChildren(...badges);
    },
    dispose() {
      others.remove();
      me.remove();
    },
  };
}

function badge(person: Shown): HTMLLIElement {
  const made = element("li", { class: "badge", title: person.name, "aria-label": person.name }, initials(person.name));
  made.style.setProperty("--person", person.color);
  return made;
}

function initials(name: string): string {
  const words = name.split(" ");
  const first = [...(words[0] ?? "")][0] ?? "";
  const second = words.length > 1 ? ([...(words.at(-1) ?? "")][0] ?? "") : "";
  return (first + second).toUpperCase();
}
