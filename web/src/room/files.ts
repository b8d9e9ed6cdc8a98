/** The files of a room as people see them: named, in order, added, renamed and removed. Must not
 *  know the editor. */
import { type ReadonlySignal, signal } from "@preact/signals";
import type { File } from "../wasm/collab_wasm.js";
import { MAIN_FILE } from "./main-file.js";

export { MAIN_FILE };

/** Longest name of a file or room in characters; the document takes 1,024 bytes. */
export const MAX_FILE_NAME = 100;

/** What a file is called, whoever named it and however. */
export function fileName({ id, path }: Pick<File, "id" | "path">): string {
  return shownName(path) || id;
}

/** A name that anybody may have given: no control or direction characters, which could make it
 *  look like another or turn the sentence around it, and not too long. "" when nothing is left. */
export function shownName(name: string): string {
  const visible = name.toWellFormed().replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "").trim();
  return [...visible].slice(0, MAX_FILE_NAME).join("");
}

/** A file id that nobody else draws: 96 random bits. */
export function newFileId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_");
}

/** The files as a signal, which changes only when they do. */
export class Files {
  private readonly known = signal<readonly File[]>([{ id: MAIN_FILE, path: "", language: "" }]);

  get list(): ReadonlySignal<readonly File[]> {
    return this.known;
  }

  get(id: string): File {
    return this.known.peek().find((file) => file.id === id) ?? { id, path: "", language: "" };
  }

  has(id: string): boolean {
    return this.known.peek().some((file) => file.id === id);
  }

  /** The file that people know by this name. */
  named(name: string): File | undefined {
    return this.known.peek().find((file) => fileName(file) === name);
  }

  /** Takes the list anew; returns those that are gone. */
  take(files: readonly File[]): readonly File[] {
    const before = this.known.peek();
    // In the order of their names, the main one first.
    const sorted = files.toSorted((a, b) => Number(b.id === MAIN_FILE) - Number(a.id === MAIN_FILE) || fileName(a).localeCompare(fileName(b), undefined, { numeric: true }));
    if (JSON.stringify(sorted) !== JSON.stringify(before)) this.known.value = sorted;
    return before.filter(({ id }) => id !== MAIN_FILE && !files.some((file) => file.id === id));
  }
}
