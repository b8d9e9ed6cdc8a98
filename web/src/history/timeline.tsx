/** The room's versions by day, with who wrote in each. Must not know what happens when one is
 *  chosen. */
import type { ReadonlySignal } from "@preact/signals";
import type { JSX } from "preact";
import type { Author, Version } from "./answers.js";
import { counted, dayOf, spoken, timeOf } from "./moments.js";

export interface TimelineProps {
  readonly versions: readonly Version[];
  /** The one on the screen. */
  readonly chosen: ReadonlySignal<number | undefined>;
  readonly choose: (version: Version) => void;
}

/** Authors whose colours are shown; of more, these many. */
const MAX_DOTS = 6;

export function Timeline({ versions, chosen, choose }: TimelineProps): JSX.Element {
  const now = Date.now();
  const days: { readonly day: string; readonly versions: Version[] }[] = [];
  for (const version of versions) {
    const day = dayOf(version.at, now);
    const last = days.at(-1);
    if (last?.day === day) last.versions.push(version);
    else days.push({ day, versions: [version] });
  }
  const current = chosen.value;
  // Tab reaches one of them, the arrow keys go round.
  const reached = versions.find(({ id }) => id === current)?.id ?? versions[0]?.id;
  return (
    <div class="timeline" onKeyDown={walk}>
      {days.map(({ day, versions }) => (
        <section key={`${day} ${versions[0]?.id}`}>
          <h3>{day}</h3>
          <ul>
            {versions.map((version) => (
              <li key={version.id}>
                <button
                  type="button"
                  class={version.name === undefined ? "version" : "version named"}
                  data-version={version.id}
                  aria-current={version.id === current ? "true" : undefined}
                  tabindex={version.id === reached ? 0 : -1}
                  onClick={() => choose(version)}
                >
                  <Face version={version} />
                </button>
              </li>
            ))}
          </ul>
        </section>
      ))}
    </div>
  );
}

function Face({ version: { at, kind, name, authors, insertions, deletions } }: { readonly version: Version }): JSX.Element {
  const who = spoken(authors.map((author) => author.name)) || "nobody known";
  return (
    <>
      <span class="version-first">
        <time dateTime={new Date(at).toISOString()}>{timeOf(at)}</time>
        <strong>{name ?? (kind === "restored" ? "Restored" : "")}</strong>
        <span class="version-counts">
          <span class="added" aria-hidden="true">
            +{insertions.toLocaleString()}
          </span>{" "}
          <span class="removed" aria-hidden="true">
            −{deletions.toLocaleString()}
          </span>
          <span class="visually-hidden">
            , {counted(insertions, "character")} added, {counted(deletions, "character")} removed, by{" "}
          </span>
        </span>
      </span>
      <span class="version-second">
        <Dots authors={authors} />
        <span>{who}</span>
      </span>
    </>
  );
}

function Dots({ authors }: { readonly authors: readonly Author[] }): JSX.Element {
  return (
    <span class="version-dots" aria-hidden="true">
      {authors.slice(0, MAX_DOTS).map(({ color }, i) => (
        <span key={i} class="dot" ref={(element) => element?.style.setProperty("--person", color)} />
      ))}
    </span>
  );
}

/** The arrow keys, Home and End go through the list. */
function walk(event: KeyboardEvent & { readonly currentTarget: HTMLElement }): void {
  const all = [...event.currentTarget.querySelectorAll<HTMLElement>("[data-version]")];
  const at = all.findIndex((one) => one === document.activeElement);
  if (at < 0) return;
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  all[Math.min(Math.max(to, 0), all.length - 1)]?.focus();
}
