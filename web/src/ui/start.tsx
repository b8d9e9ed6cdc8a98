/** The start: make a room, go to one, or back to one. Must not know how any of it is done. */
import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { Icon } from "./icons.js";

/** A room that was visited on this device. */
export interface Visited {
  readonly room: string;
  /** What people call it. */
  readonly name: string;
  /** Milliseconds since 1970. */
  readonly visitedAt: number;
  /** Edits that the server was not known to have saved. */
  readonly unsaved: number;
}

export interface StartProps {
  /** Makes a room and goes there; rejects with an `Error` whose message a person can read. */
  readonly create: () => Promise<void>;
  /** Goes to the room that a link or name means; false when it means none. */
  readonly join: (input: string) => boolean;
  /** Said at once, when an address led nowhere. */
  readonly problem: string | undefined;
  /** Newest first. */
  readonly recent: () => Promise<readonly Visited[]>;
  readonly forget: (room: string) => Promise<void>;
  readonly linkTo: (room: string) => string;
}

export function Start(props: StartProps): JSX.Element {
  const problem = useSignal(props.problem ?? "");
  const busy = useSignal(false);
  const recent = useSignal<readonly Visited[]>([]);
  const create = useRef<HTMLButtonElement>(null);
  const input = useRef<HTMLInputElement>(null);

  const failed = (error: unknown) => (problem.value = `What this device keeps cannot be reached: ${String(error)}`);

  useEffect(() => {
    create.current?.focus();
    props.recent().then((rooms) => (recent.value = rooms), failed);
  }, []);

  async function remove({ room, unsaved }: Visited): Promise<void> {
    const what = unsaved === 1 ? "1 change" : `${unsaved} changes`;
    if (unsaved > 0 && !confirm(`The server has not confirmed ${what} made here in this room; perhaps only this device has them. Forget them too?`)) return;
    await props.forget(room);
    recent.value = recent.value.filter((other) => other.room !== room);
  }

  async function make(): Promise<void> {
    problem.value = "";
    busy.value = true;
    try {
      await props.create();
    } catch (error) {
      problem.value = error instanceof Error ? error.message : String(error);
    } finally {
      busy.value = false;
      create.current?.focus();
    }
  }

  return (
    <main class="start">
      <img src="./favicon.svg" alt="" width="56" height="56" />
      <h1>Collab</h1>
      <p class="lead">Write code together. Everyone's edits merge; nobody's are lost.</p>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void make();
        }}
      >
        <button type="submit" class="button primary large" ref={create} disabled={busy.value}>
          New room
        </button>
      </form>
      <form
        class="start-join"
        onSubmit={(event) => {
          event.preventDefault();
          const found = props.join(input.current?.value ?? "");
          problem.value = found ? "" : "That is neither a link to a room nor a name for one.";
          if (!found) input.current?.focus();
        }}
      >
        <label for="join-room">Join a room</label>
        <div class="row">
          <input
            id="join-room"
            class="field"
            type="text"
            placeholder="Paste a link, or type a room's name"
            autocomplete="off"
            autocapitalize="off"
            spellcheck={false}
            enterkeyhint="go"
            ref={input}
          />
          <button type="submit" class="button">
            Join
          </button>
        </div>
      </form>
      <p class="problem" role="alert">
        {problem.value}
      </p>
      {recent.value.length === 0 ? null : (
        <section class="recent" aria-labelledby="recent-title">
          <h2 id="recent-title">Recent rooms on this device</h2>
          <ul>
            {recent.value.map((visited) => (
              <li key={visited.room}>
                <a href={props.linkTo(visited.room)}>{title(visited)}</a>
                <time dateTime={new Date(visited.visitedAt).toISOString()}>{when(visited.visitedAt)}</time>
                <button
                  type="button"
                  class="icon-button"
                  aria-label={`Forget ${title(visited)}`}
                  title="Remove from this list"
                  onClick={() => remove(visited).catch(failed)}
                >
                  <Icon name="close" />
                </button>
              </li>
            ))}
          </ul>
        </section>
      )}
    </main>
  );
}

/** A room that was left before it could say its name has none. */
function title({ room, name }: Visited): string {
  return name || room;
}

/** A day as people say it. */
function when(instant: number): string {
  const day = 24 * 60 * 60 * 1_000;
  const days = Math.floor(instant / day) - Math.floor(Date.now() / day);
  if (days < -6) return new Date(instant).toLocaleDateString();
  return new Intl.RelativeTimeFormat(undefined, { numeric: "auto" }).format(days, "day");
}
