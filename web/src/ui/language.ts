/** Which language the text is coloured as, and a way to say another. Must not know how languages
 *  are found or stored. */
import { type Disposable, element } from "../dom.js";

interface Choice {
  readonly id: string;
  readonly name: string;
}

export interface LanguagePickerOptions {
  readonly choices: readonly Choice[];
  /** The person chose; `undefined` means "find out". */
  readonly choose: (id: string | undefined) => void;
}

export interface LanguagePicker extends Disposable {
  /** `chosen`: what somebody said; `found`: what the text looks like, shown when nobody did. */
  show(chosen: Choice | undefined, found: Choice): void;
}

const FIND_OUT = "auto";

export function mountLanguagePicker(parent: HTMLElement, options: LanguagePickerOptions): LanguagePicker {
  const automatic = element("option", { value: FIND_OUT });
  const select = element(
    "select",
    { "aria-label": "Language" },
    automatic,
    ...options.choices.map(({ id, name }) => element("option", { value: id }, name)),
  );
  select.addEventListener("change", () => options.choose(select.value === FIND_OUT ? undefined : select.value));
  parent.append(select);
  return {
    show(chosen, found) {
      automatic.textContent = `${found.name} (detected)`;
      select.value = chosen?.id ?? FIND_OUT;
    },
    dispose: () => select.remove(),
  };
}
