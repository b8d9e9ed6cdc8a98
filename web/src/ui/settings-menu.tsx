/** What a person may choose for this device. Must not know what the choices do. */
import type { Signal } from "@preact/signals";
import type { JSX } from "preact";
import { DELAY_MS, type LabelMode, type Settings, type Theme } from "../settings.js";
import { Icon } from "./icons.js";
import { Popover } from "./popover.js";

const THEMES: readonly (readonly [Theme, string])[] = [
  ["system", "Like the system"],
  ["light", "Light"],
  ["dark", "Dark"],
];

const LABELS: readonly (readonly [LabelMode, string])[] = [
  ["activity", "While they move"],
  ["always", "Always"],
  ["never", "Never"],
];

export function SettingsMenu({ settings, help }: { readonly settings: Settings; readonly help: () => void }): JSX.Element {
  return (
    <Popover id="settings" buttonClass="icon-button" label="Settings" title="Settings" name="Settings" face={<Icon name="settings" />}>
      <h2>Settings</h2>
      <div class="settings">
        <Choice label="Theme" choices={THEMES} value={settings.theme} />
        <Choice label="Names beside carets" choices={LABELS} value={settings.labels} />
        <Check label="Wrap long lines" value={settings.wrap} />
        <Check label="Offer completions" value={settings.completion} />
        <label>
          <span>Offer after (ms)</span>
          <input
            class="field"
            type="number"
            min={DELAY_MS.least}
            max={DELAY_MS.most}
            step="25"
            value={settings.completionDelayMs.value}
            disabled={!settings.completion.value}
            onChange={(event) => {
              const asked = event.currentTarget.valueAsNumber;
              const delay = Number.isFinite(asked) ? Math.round(Math.min(Math.max(asked, DELAY_MS.least), DELAY_MS.most)) : DELAY_MS.usual;
              settings.completionDelayMs.value = delay;
              event.currentTarget.value = String(delay);
            }}
          />
        </label>
        <button type="button" class="link" onClick={help}>
          Keyboard shortcuts
        </button>
      </div>
    </Popover>
  );
}

function Choice<T extends string>(props: {
  readonly label: string;
  readonly choices: readonly (readonly [T, string])[];
  readonly value: Signal<T>;
}): JSX.Element {
  return (
    <label>
      <span>{props.label}</span>
      <select
        class="field"
        value={props.value.value}
        onChange={(event) => {
          const chosen = props.choices.find(([id]) => id === event.currentTarget.value);
          if (chosen) props.value.value = chosen[0];
        }}
      >
        {props.choices.map(([id, name]) => (
          <option key={id} value={id}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}

function Check({ label, value }: { readonly label: string; readonly value: Signal<boolean> }): JSX.Element {
  return (
    <label>
      <span>{label}</span>
      <input type="checkbox" checked={value.value} onChange={(event) => (value.value = event.currentTarget.checked)} />
    </label>
  );
}
