/** The room's screen: a bar above, the text, a bar below, and what floats over them. Must not know
 *  what the parts do, nor the editor, for which it only keeps a place. */
import { type ReadonlySignal, useSignal } from "@preact/signals";
import { type JSX, render } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { Places } from "../room/first.js";
import type { Settings } from "../settings.js";
import { People, type PeopleProps } from "./people.js";
import { PhoneBar, type PhoneBarProps } from "./phone-bar.js";
import { Pill, type PillProps } from "./pill.js";
import { SettingsMenu } from "./settings-menu.js";
import { Share, type ShareProps } from "./share.js";
import { Shortcuts } from "./shortcuts.js";
import { StatusBar, type StatusBarProps } from "./status-bar.js";
import { Tabs, type TabsProps } from "./tabs.js";
import { ToastList, type Toasts } from "./toasts.js";

export interface RoomScreenProps {
  /** The address of the start page. */
  readonly home: string;
  readonly name: ReadonlySignal<string>;
  readonly maxNameLength: number;
  readonly renameRoom: (name: string) => void;
  readonly pill: PillProps;
  readonly people: PeopleProps;
  readonly share: ShareProps;
  readonly tabs: TabsProps;
  readonly status: StatusBarProps;
  readonly phone: PhoneBarProps;
  readonly settings: Settings;
  readonly toasts: Toasts;
  /** Said above the text while somebody is followed. */
  readonly banner: ReadonlySignal<Banner | undefined>;
  readonly shortcuts: ReadonlySignal<boolean>;
  readonly showShortcuts: (open: boolean) => void;
}

export interface Banner {
  readonly text: string;
  readonly color: string;
  readonly label: string;
  readonly press: () => void;
}

/** Puts the parts around the text, which is on the screen already and must not be moved: it may have
 *  the focus, and an input method at work in it. Returns how to take them away. */
export function renderRoom(places: Places, props: RoomScreenProps): () => void {
  render(
    <>
      <header class="top">
        <a class="home" href={props.home} aria-label="Start page">
          <img src="./favicon.svg" alt="" width="24" height="24" />
        </a>
        <RoomName name={props.name} maxLength={props.maxNameLength} rename={props.renameRoom} />
        <Pill {...props.pill} />
        <span class="spring" />
        <People {...props.people} />
        <SettingsMenu settings={props.settings} help={() => props.showShortcuts(true)} />
        <Share {...props.share} />
      </header>
      <Tabs {...props.tabs} />
    </>,
    places.above,
  );
  render(<BannerLine banner={props.banner} />, places.beforeText);
  render(<PhoneBar {...props.phone} />, places.afterText);
  render(
    <>
      <StatusBar {...props.status} />
      <ToastList toasts={props.toasts} />
      <Shortcuts open={props.shortcuts} closed={() => props.showShortcuts(false)} />
    </>,
    places.below,
  );
  return () => {
    for (const place of Object.values(places)) render(null, place);
  };
}

function BannerLine({ banner }: { readonly banner: ReadonlySignal<Banner | undefined> }): JSX.Element | null {
  const shown = banner.value;
  if (!shown) return null;
  return (
    <div class="banner" ref={(element) => element?.style.setProperty("--person", shown.color)}>
      <span>{shown.text}</span>
      <button type="button" class="link" onClick={shown.press}>
        {shown.label}
      </button>
    </div>
  );
}

/** A heading that becomes a field when pressed. */
function RoomName(props: { readonly name: ReadonlySignal<string>; readonly maxLength: number; readonly rename: (name: string) => void }): JSX.Element {
  const editing = useSignal(false);
  const field = useRef<HTMLInputElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  /** The field had the focus until a key ended it. */
  const byKey = useRef(false);
  useEffect(() => {
    if (editing.value) field.current?.select();
    else if (byKey.current) button.current?.focus();
    byKey.current = false;
  }, [editing.value]);
  if (!editing.value) {
    return (
      <h1 class="room-name">
        <button type="button" title="Rename this room" ref={button} onClick={() => (editing.value = true)}>
          {props.name.value}
        </button>
      </h1>
    );
  }
  const end = (name: string | undefined) => {
    if (!editing.peek()) return;
    editing.value = false;
    const wanted = name?.trim();
    if (wanted && wanted !== props.name.peek()) props.rename(wanted);
  };
  return (
    <>
      <h1 class="visually-hidden">{props.name.value}</h1>
      <input
        class="field room-name-field"
        type="text"
        aria-label="Name of this room"
        value={props.name.value}
        maxLength={props.maxLength}
        autocomplete="off"
        ref={field}
        onBlur={(event) => end(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key !== "Enter" && event.key !== "Escape") return;
          byKey.current = true;
          end(event.key === "Enter" ? event.currentTarget.value : undefined);
        }}
      />
    </>
  );
}
