/** Which file this tab was in, so that a reload comes back to it. Must not know what is in it. */

const STORED = "collab.file";

export function rememberFile(room: string, file: string): void {
  try {
    sessionStorage.setItem(STORED, JSON.stringify([room, file]));
  } catch {
    // Storage may be switched off; then a reload begins with the main file.
  }
}

/** The file, if it was in this room. */
export function rememberedFile(room: string): string | undefined {
  try {
    const [of, file] = JSON.parse(sessionStorage.getItem(STORED) ?? "[]") as unknown[];
    return of === room && typeof file === "string" ? file : undefined;
  } catch {
    return undefined;
  }
}
