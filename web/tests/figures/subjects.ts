/**
 * The two pages that are measured, each built, compressed and served as a person would get it.
 * Must not know what is measured.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";
import { Server } from "../e2e/harness/server.js";

export interface Subject {
  readonly kind: "collab" | "yjs";
  readonly name: string;
  readonly server: Server;
  /** Whether there is a pill that says when the text is saved. */
  readonly saysSaved: boolean;
  /** CSS selector of somebody else's caret. */
  readonly caret: string;
}

const web = fileURLToPath(new URL("../../", import.meta.url));

export async function openSubjects(): Promise<{ readonly subjects: readonly Subject[]; dispose(): Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), "collab-figures-"));
  const servers: Server[] = [];
  const dispose = async () => {
    for (const server of servers) await server.dispose();
    rmSync(folder, { recursive: true, force: true });
  };
  // Vite, which runs this script, calls it development; the pages would be built for that, without the
  // service worker for one.
  process.env["NODE_ENV"] = "production";
  const serve = async (name: string, config: string): Promise<Server> => {
    const page = join(folder, name);
    await build({ configFile: join(web, config), root: join(web, config, ".."), logLevel: "error", build: { outDir: page, emptyOutDir: true } });
    execFileSync(process.execPath, [join(web, "scripts/compress.mjs"), page], { stdio: "ignore" });
    const server = await Server.start("--page-dir", page);
    servers.push(server);
    return server;
  };
  try {
    const collab = await serve("collab", "vite.config.ts");
    const yjs = await serve("yjs", "tests/figures/yjs-page/vite.config.ts");
    const subjects: Subject[] = [
      { kind: "collab", name: "Collab", server: collab, saysSaved: true, caret: ".collab-caret" },
      { kind: "yjs", name: "Yjs", server: yjs, saysSaved: false, caret: ".cm-ySelectionCaret" },
    ];
    return { subjects, dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

/** Where a person goes to open a room. */
export function addressOf({ server }: Subject, room: string): string {
  return new URL(`room/${room}`, server.url).href;
}
