/** The drawer beside the text: naming, the timeline, and over the text what was chosen in it. Must not
 *  know where versions come from, nor the live editor. */
import { type ReadonlySignal, type Signal, useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { Icon } from "../ui/icons.js";
import type { Version } from "./answers.js";
import type { Comparison } from "./comparison.js";
import { Controls } from "./controls.js";
import { counted, momentOf, spoken } from "./moments.js";
import type { ComparisonStage, ReplayStage, Stage } from "./stage.js";
import { Timeline } from "./timeline.js";
import { MAX_VERSION_NAME, type Versions } from "./versions.js";

export interface DrawerProps {
  readonly versions: Versions;
  readonly stage: ReadonlySignal<Stage | undefined>;
  readonly chosen: ReadonlySignal<number | undefined>;
  readonly blame: Signal<boolean>;
  /** Who wrote the line of the caret. */
  readonly author: ReadonlySignal<string | undefined>;
  readonly choose: (version: Version) => void;
  /** Plays what has been written since a version, or since the beginning. */
  readonly play: (from: Version | undefined) => void;
  readonly restore: () => void;
  readonly rename: (version: Version, name: string | undefined) => void;
  readonly download: () => void;
  /** Shows the live text again. */
  readonly back: () => void;
  readonly close: () => void;
  readonly keyDown: (event: KeyboardEvent) => void;
}

export function Drawer(props: DrawerProps): JSX.Element {
  const stage = props.stage.value;
  return (
    <section class="history" aria-label="History" tabindex={-1} onKeyDown={props.keyDown}>
      {stage ? <StageView key={`${stage.kind} ${stage.version?.id} ${stage.file}`} {...props} shown={stage} /> : null}
      <div class="history-panel">
        <header class="history-head">
          <h2>History</h2>
          <button type="button" class="icon-button" aria-label="Close the history" title="Esc" onClick={props.close}>
            <Icon name="close" />
          </button>
        </header>
        <NameForm versions={props.versions} />
        <div class="history-tools">
          <button type="button" class="button" onClick={() => props.play(undefined)}>
            Replay everything
          </button>
          <label>
            <input type="checkbox" checked={props.blame.value} onChange={(event) => (props.blame.value = event.currentTarget.checked)} />
            Who wrote each line
          </label>
        </div>
        {props.author.value === undefined ? null : <p class="history-line">{props.author.value}</p>}
        <List {...props} />
      </div>
    </section>
  );
}

function NameForm({ versions }: Pick<DrawerProps, "versions">): JSX.Element {
  const busy = useSignal(false);
  return (
    <form
      class="row"
      onSubmit={(event) => {
        event.preventDefault();
        const form = event.currentTarget;
        const field = form.elements.namedItem("version-name");
        const name = field instanceof HTMLInputElement ? field.value.trim() : "";
        if (!name || busy.peek()) return;
        busy.value = true;
        void versions.name(name).then(() => {
          busy.value = false;
          if (versions.problem.peek() === undefined) form.reset();
        });
      }}
    >
      <input class="field" name="version-name" type="text" aria-label="Name for the text as it is now" placeholder="Name this version" maxLength={MAX_VERSION_NAME} autocomplete="off" />
      <button type="submit" class="button" disabled={busy.value}>
        Keep
      </button>
    </form>
  );
}

function List({ versions, chosen, choose }: DrawerProps): JSX.Element {
  const list = versions.list.value;
  const problem = versions.problem.value;
  return (
    <div class="history-list">
      {problem === undefined ? null : (
        <p class="history-problem" role="alert">
          {problem}{" "}
          <button type="button" class="link" onClick={() => void versions.refresh()}>
            Try again
          </button>
        </p>
      )}
      {list === undefined ? problem === undefined ? <p class="hint">Loading…</p> : null : null}
      {list?.length === 0 ? <p class="hint">Nothing has been written here yet. Versions come by themselves while you write.</p> : null}
      {list && list.length > 0 ? <Timeline versions={list} chosen={chosen} choose={choose} /> : null}
      {versions.more.value ? (
        <button type="button" class="button older" onClick={() => void versions.older()}>
          Older
        </button>
      ) : null}
    </div>
  );
}

function StageView(props: DrawerProps & { readonly shown: Stage }): JSX.Element {
  const { shown } = props;
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    place.current?.append(shown.element);
  }, [shown]);
  const edits = shown.since.edits.value;
  const problem = shown.problem.value;
  return (
    <div class="history-stage" role="group" aria-label={shown.kind === "replay" ? "Replay" : "Comparison"}>
      <header class="stage-head">
        <Title {...props} />
        <span class="spring" />
        {edits > 0 ? (
          <button type="button" class="chip" onClick={props.back}>
            {counted(edits, "new edit")}
          </button>
        ) : null}
        <button type="button" class="button" onClick={props.back} title="Esc">
          Back to now
        </button>
      </header>
      {problem === undefined ? null : (
        <p class="history-problem" role="alert">
          {problem}
        </p>
      )}
      <div class="stage-text" ref={place} />
      {shown.kind === "replay" ? <Replaying shown={shown} restore={props.restore} download={props.download} /> : <Comparing {...props} shown={shown} />}
    </div>
  );
}

function Title({ shown, rename }: Pick<DrawerProps, "rename"> & { readonly shown: Stage }): JSX.Element {
  const editing = useSignal(false);
  const form = useRef<HTMLFormElement>(null);
  const { version } = shown;
  if (!version) return <h2>Everything that was written</h2>;
  const when = momentOf(version.at, Date.now());
  if (shown.kind === "replay") return <h2>Since {version.name ?? when}</h2>;
  if (!editing.value) {
    return (
      <>
        <h2>{version.name ?? when}</h2>
        <span class="stage-who">
          {version.name === undefined ? "" : `${when} · `}
          {spoken(version.authors.map(({ name }) => name))}
        </span>
        <button type="button" class="link" onClick={() => (editing.value = true)}>
          {version.name === undefined ? "Name it" : "Rename"}
        </button>
      </>
    );
  }
  const end = (name: string | undefined) => {
    // The field goes away; the drawer's keys must not.
    form.current?.closest<HTMLElement>(".history")?.focus();
    editing.value = false;
    if (name !== undefined && name.trim() !== (version.name ?? "")) rename(version, name.trim() || undefined);
  };
  return (
    <form
      class="row"
      ref={form}
      onSubmit={(event) => {
        event.preventDefault();
        const field = event.currentTarget.elements.namedItem("new-name");
        end(field instanceof HTMLInputElement ? field.value : undefined);
      }}
    >
      <input
        class="field"
        name="new-name"
        type="text"
        aria-label="Name of this version"
        value={version.name ?? ""}
        maxLength={MAX_VERSION_NAME}
        autocomplete="off"
        ref={(element) => element?.focus()}
        onKeyDown={(event) => {
          if (event.key !== "Escape") return;
          event.stopPropagation();
          end(undefined);
        }}
      />
      <button type="submit" class="button">
        Keep
      </button>
    </form>
  );
}

/** What became of the text since then. */
export function summary(comparison: Comparison): string {
  if (isSame(comparison)) return "The same as now.";
  return `Since then ${counted(comparison.added, "line")} added, ${counted(comparison.removed, "line")} removed.`;
}

function isSame({ added, removed }: Comparison): boolean {
  return added === 0 && removed === 0;
}

function Comparing({ shown, restore, play, download }: DrawerProps & { readonly shown: ComparisonStage }): JSX.Element {
  const comparison = shown.comparison.value;
  if (!comparison) return <footer class="stage-foot">{shown.problem.value === undefined ? "Loading…" : ""}</footer>;
  const same = isSame(comparison);
  return (
    <footer class="stage-foot">
      <span>{summary(comparison)}</span>
      {same ? null : (
        <>
          <button type="button" class="link" onClick={() => comparison.go("previous")}>
            Previous
          </button>
          <button type="button" class="link" onClick={() => comparison.go("next")}>
            Next
          </button>
        </>
      )}
      <span class="spring" />
      <button type="button" class="button" onClick={download}>
        Download
      </button>
      <button type="button" class="button" onClick={() => play(shown.version)}>
        Replay from here
      </button>
      <button type="button" class="button primary" disabled={same} onClick={restore}>
        Restore
      </button>
    </footer>
  );
}

function Replaying({ shown, restore, download }: Pick<DrawerProps, "restore" | "download"> & { readonly shown: ReplayStage }): JSX.Element {
  const replay = shown.replay.value;
  if (!replay) return <footer class="stage-foot">{shown.problem.value === undefined ? "Loading…" : ""}</footer>;
  return (
    <footer class="stage-foot replaying">
      <Controls {...replay} />
      <button type="button" class="button" onClick={download}>
        Download
      </button>
      <button type="button" class="button" onClick={restore}>
        Restore this moment
      </button>
    </footer>
  );
}
