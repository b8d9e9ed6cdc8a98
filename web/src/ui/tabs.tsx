/** The room's files as a row of tabs: to go to one, add, rename and remove. Must not know what is
 *  in them. */
import { type ReadonlySignal, useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { Icon } from "./icons.js";
import { paint } from "./people.js";
import { closePopover, Popover } from "./popover.js";

export interface Tab {
  readonly id: string;
  readonly name: string;
  /** The colours of those who are in this file. */
  readonly colors: readonly string[];
}

export interface TabsProps {
  readonly tabs: ReadonlySignal<readonly Tab[]>;
  readonly active: ReadonlySignal<string>;
  /** The file that cannot be removed. */
  readonly main: string;
  readonly maxNameLength: number;
  readonly go: (id: string) => void;
  readonly add: (name: string) => void;
  readonly rename: (id: string, name: string) => void;
  readonly remove: (id: string) => void;
}

export function Tabs(props: TabsProps): JSX.Element {
  const renaming = useSignal<string | undefined>(undefined);
  const list = useRef<HTMLUListElement>(null);
  /** Whose tab gets the focus that its field had. */
  const renamed = useRef<string | undefined>(undefined);
  useEffect(() => {
    if (renaming.value !== undefined || renamed.current === undefined) return;
    list.current?.querySelector<HTMLElement>(`[data-file="${CSS.escape(renamed.current)}"]`)?.focus();
    renamed.current = undefined;
  }, [renaming.value]);
  const active = props.active.value;
  useEffect(() => {
    list.current?.querySelector(".tab.active")?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, [active, props.tabs.value.length]);
  return (
    <nav class="tabs" aria-label="Files">
      <ul ref={list}>
        {props.tabs.value.map((tab) => (
          <li key={tab.id} class={tab.id === active ? "tab active" : "tab"}>
            {renaming.value === tab.id ? (
              <NameField
                value={tab.name}
                maxLength={props.maxNameLength}
                done={(name, byKey) => {
                  renaming.value = undefined;
                  if (byKey) renamed.current = tab.id;
                  if (name !== undefined && name !== tab.name) props.rename(tab.id, name);
                }}
              />
            ) : (
              <button
                type="button"
                class="tab-name"
                data-file={tab.id}
                aria-current={tab.id === active ? "page" : undefined}
                title={tab.id === active ? "F2 renames" : undefined}
                onClick={() => props.go(tab.id)}
                onDblClick={() => (renaming.value = tab.id)}
                onKeyDown={(event) => {
                  if (event.key === "F2") renaming.value = tab.id;
                  else if (event.key === "Delete" && tab.id !== props.main) {
                    event.currentTarget.closest("li")?.previousElementSibling?.querySelector("button")?.focus();
                    props.remove(tab.id);
                  } else return;
                  event.preventDefault();
                }}
              >
                {tab.name}
                <span class="tab-people">
                  {tab.colors.map((color) => (
                    <span key={color} class="dot" ref={paint(color)} />
                  ))}
                </span>
              </button>
            )}
            {tab.id === active && renaming.value !== tab.id ? <TabMenu {...props} tab={tab} rename={() => (renaming.value = tab.id)} /> : null}
          </li>
        ))}
      </ul>
      <div class="tabs-end">
        {props.tabs.value.length >= MANY_FILES ? <AllFiles {...props} /> : null}
        <NewFile {...props} />
      </div>
    </nav>
  );
}

/** So many tabs are more than most windows show at once. */
const MANY_FILES = 6;

/** The files one below the other: every one within reach, by keys too. */
function AllFiles({ tabs, active, go }: TabsProps): JSX.Element {
  return (
    <Popover id="all-files" buttonClass="icon-button" label="All files" title="All files" name="All files" face={<Icon name="list" />}>
      <div
        class="menu"
        onKeyDown={(event) => {
          const buttons = [...event.currentTarget.querySelectorAll("button")];
          const at = buttons.findIndex((button) => button === document.activeElement);
          const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[event.key];
          if (to === undefined) return;
          buttons.at(to % buttons.length)?.focus();
          event.preventDefault();
        }}
      >
        {tabs.value.map((tab) => (
          <button
            key={tab.id}
            type="button"
            aria-current={tab.id === active.value ? "page" : undefined}
            data-autofocus={tab.id === active.value ? true : undefined}
            onClick={() => {
              closePopover("all-files");
              go(tab.id);
            }}
          >
            {tab.name}
          </button>
        ))}
      </div>
    </Popover>
  );
}

function TabMenu(props: Pick<TabsProps, "main" | "remove"> & { readonly tab: Tab; readonly rename: () => void }): JSX.Element {
  return (
    <Popover id="file-menu" buttonClass="icon-button small" label={`What to do with ${props.tab.name}`} name={props.tab.name} face={<Icon name="more" />}>
      <div class="menu">
        <button
          type="button"
          data-autofocus
          onClick={() => {
            closePopover("file-menu");
            props.rename();
          }}
        >
          Rename
        </button>
        <button
          type="button"
          disabled={props.tab.id === props.main}
          onClick={() => {
            closePopover("file-menu");
            props.remove(props.tab.id);
          }}
        >
          Delete
        </button>
      </div>
    </Popover>
  );
}

function NewFile(props: Pick<TabsProps, "add" | "maxNameLength">): JSX.Element {
  return (
    <Popover id="new-file" buttonClass="icon-button" label="New file" title="New file" name="New file" face={<Icon name="plus" />}>
      <form
        class="row"
        onSubmit={(event) => {
          event.preventDefault();
          const field = event.currentTarget.elements.namedItem("file-name");
          const name = field instanceof HTMLInputElement ? field.value.trim() : "";
          if (!name) return;
          event.currentTarget.reset();
          closePopover("new-file");
          props.add(name);
        }}
      >
        <input class="field" name="file-name" type="text" aria-label="File name" placeholder="notes.md" maxLength={props.maxNameLength} autocomplete="off" autocapitalize="off" spellcheck={false} data-autofocus />
        <button type="submit" class="button">
          Add
        </button>
      </form>
    </Popover>
  );
}

/** Enter and a press elsewhere take the name, Escape does not. */
function NameField(props: { readonly value: string; readonly maxLength: number; readonly done: (name: string | undefined, byKey: boolean) => void }): JSX.Element {
  const field = useRef<HTMLInputElement>(null);
  const over = useRef(false);
  useEffect(() => field.current?.select(), []);
  const end = (name: string | undefined, byKey: boolean) => {
    if (over.current) return;
    over.current = true;
    props.done(name?.trim() || undefined, byKey);
  };
  return (
    <input
      class="field tab-field"
      type="text"
      aria-label="File name"
      value={props.value}
      maxLength={props.maxLength}
      autocomplete="off"
      spellcheck={false}
      ref={field}
      onBlur={(event) => end(event.currentTarget.value, false)}
      onKeyDown={(event) => {
        if (event.key === "Enter") end(event.currentTarget.value, true);
        else if (event.key === "Escape") end(undefined, true);
        else return;
        event.preventDefault();
      }}
    />
  );
}
