/** Who is here: a row of avatars, and behind it the list where one changes one's own name and
 *  colour, and goes to or follows the others. Must not know where people come from. */
import type { ReadonlySignal } from "@preact/signals";
import type { JSX } from "preact";
import { initials } from "../presence/identity.js";
import { Icon } from "./icons.js";
import { closePopover, Popover } from "./popover.js";

/** Avatars before the rest becomes a number. */
const MAX_AVATARS = 5;

const POPOVER = "people";

/** The person at this browser. */
export interface Me {
  readonly name: string;
  readonly color: string;
}

/** Somebody else in the room. */
export interface Someone {
  readonly replica: number;
  readonly name: string;
  readonly color: string;
  readonly idle: boolean;
  /** Where their caret is, such as "main:12"; absent when they have none. */
  readonly place: string | undefined;
  /** Whether they follow the person at this browser. */
  readonly followsMe: boolean;
}

export interface PeopleProps {
  readonly me: ReadonlySignal<Me>;
  readonly others: ReadonlySignal<readonly Someone[]>;
  /** Whom the person follows. */
  readonly following: ReadonlySignal<number | undefined>;
  readonly palette: readonly string[];
  readonly maxNameLength: number;
  /** Takes a new name; returns the one that counts from now on. */
  readonly rename: (name: string) => string;
  readonly recolor: (color: string) => void;
  readonly jump: (replica: number) => void;
  /** Starts or stops following. */
  readonly follow: (replica: number | undefined) => void;
  /** Copies the room's link. */
  readonly copyLink: () => void;
}

export function People(props: PeopleProps): JSX.Element {
  const me = props.me.value;
  const others = props.others.value;
  const rest = others.length - MAX_AVATARS;
  const count = others.length + 1;
  return (
    <Popover
      id={POPOVER}
      buttonClass="avatars"
      label={count === 1 ? "People: only you" : `People: ${count} here`}
      title="People"
      name="People"
      face={
        <>
          <Avatar name={me.name} color={me.color} idle={false} />
          {others.slice(0, MAX_AVATARS).map((person) => (
            <Avatar key={person.replica} {...person} />
          ))}
          {rest > 0 ? <span class="avatar more">+{rest}</span> : null}
        </>
      }
    >
      <h2>People</h2>
      <MyRow {...props} />
      {others.length === 0 ? (
        <div class="alone">
          <p>You’re alone here. Send the link to whoever shall write with you.</p>
          <button type="button" class="button" onClick={props.copyLink}>
            Copy link
          </button>
        </div>
      ) : (
        <ul class="person-list" aria-label="People here">
          {others.map((person) => (
            <PersonRow key={person.replica} person={person} {...props} />
          ))}
        </ul>
      )}
    </Popover>
  );
}

function MyRow(props: PeopleProps): JSX.Element {
  const me = props.me.value;
  return (
    <div class="me-row">
      <label class="me">
        <Avatar name={me.name} color={me.color} idle={false} />
        <input
          class="field my-name"
          type="text"
          aria-label="Your name"
          title="Your name, as others see it"
          maxLength={props.maxNameLength}
          autocomplete="off"
          spellcheck={false}
          value={me.name}
          onChange={(event) => {
            event.currentTarget.value = props.rename(event.currentTarget.value);
          }}
          onKeyDown={(event) => {
            if (event.key !== "Enter") return;
            // Stays here: who came with the keyboard would be nowhere.
            event.currentTarget.value = props.rename(event.currentTarget.value);
            event.currentTarget.select();
          }}
        />
      </label>
      <div class="palette" role="radiogroup" aria-label="Your colour">
        {props.palette.map((color, i) => (
          <label key={color} class="swatch" ref={paint(color)}>
            <input
              type="radio"
              name="my-colour"
              aria-label={`Colour ${i + 1}`}
              checked={color === me.color}
              onChange={() => props.recolor(color)}
            />
          </label>
        ))}
      </div>
    </div>
  );
}

function PersonRow({ person, ...props }: PeopleProps & { readonly person: Someone }): JSX.Element {
  const followed = props.following.value === person.replica;
  return (
    <li aria-label={person.name}>
      <button
        type="button"
        class="person"
        disabled={person.place === undefined}
        title={person.place === undefined ? undefined : `Go to ${person.name}’s caret`}
        onClick={() => {
          closePopover(POPOVER);
          props.jump(person.replica);
        }}
      >
        <Avatar {...person} />
        <span class="person-name">{person.name}</span>
        <span class="person-place">
          {person.idle ? "away" : person.followsMe ? "follows you" : (person.place ?? "")}
        </span>
      </button>
      <button
        type="button"
        class="icon-button"
        aria-pressed={followed}
        aria-label={followed ? `Stop following ${person.name}` : `Follow ${person.name}`}
        title={person.followsMe ? `${person.name} follows you` : followed ? "Stop following" : "Follow"}
        disabled={person.followsMe}
        onClick={() => {
          closePopover(POPOVER);
          props.follow(followed ? undefined : person.replica);
        }}
      >
        <Icon name="eye" />
      </button>
    </li>
  );
}

function Avatar({ name, color, idle }: { readonly name: string; readonly color: string; readonly idle: boolean }): JSX.Element {
  // Drawn by the stylesheet: who asks for a control by what it reads would not find it by initials.
  return (
    <span
      class={idle ? "avatar idle" : "avatar"}
      ref={paint(color)}
      title={idle ? `${name} (away)` : name}
      aria-hidden="true"
      data-initials={initials(name)}
    />
  );
}

/** Colours come by script: the page's security policy takes no style attributes. */
export function paint(color: string): (element: HTMLElement | null) => void {
  return (element) => element?.style.setProperty("--person", color);
}
