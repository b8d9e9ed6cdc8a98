/** A real server in a process of its own, with a folder of its own, to be stopped and killed.
 *  Must not know what it is used for. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** How long a start may take on a busy machine, in milliseconds. */
const START_MS = 60_000;

/** How long a graceful stop may take, in milliseconds: the server promises 25 s. */
const STOP_MS = 25_000;

export class Server {
  private constructor(
    readonly data: string,
    private process: ChildProcess,
    /** `http://127.0.0.1:PORT/`; another one after `restart`. */
    public url: URL,
    private log: { text: string },
    private readonly flags: readonly string[],
  ) {}

  /** Starts a server with an empty folder on a free port; `flags` come after those of every test. */
  static async start(...flags: readonly string[]): Promise<Server> {
    const data = mkdtempSync(join(tmpdir(), "collab-e2e-"));
    const log = { text: "" };
    const { process, url } = await launch(data, log, flags);
    return new Server(data, process, url, log, flags);
  }

  get port(): number {
    return Number(this.url.port);
  }

  /** Everything it printed, for a failing test. */
  get printed(): string {
    return this.log.text;
  }

  signal(signal: NodeJS.Signals): void {
    this.process.kill(signal);
  }

  /** Asks it to stop; resolves to its exit code. */
  async terminate(): Promise<number | null> {
    return this.end("SIGTERM");
  }

  /** Gives it no chance to do anything. */
  async kill(): Promise<void> {
    await this.end("SIGKILL");
  }

  /** Starts it again over the same folder, on another port. */
  async restart(): Promise<void> {
    const { process, url } = await launch(this.data, this.log, this.flags);
    this.process = process;
    this.url = url;
  }

  /** A server of its own over what this one has now: backed up, and restored with these flags. */
  async restored(...flags: readonly string[]): Promise<Server> {
    const data = mkdtempSync(join(tmpdir(), "collab-e2e-"));
    const file = join(this.data, "backup.collab");
    const options = { cwd: data, env: environment() };
    execFileSync(binary(), ["backup", "--force", file, "--data-dir", this.data], options);
    execFileSync(binary(), ["restore", file, "--data-dir", data, ...flags], options);
    const log = { text: "" };
    const { process, url } = await launch(data, log, this.flags);
    return new Server(data, process, url, log, this.flags);
  }

  /** Kills it and removes its folder. */
  async dispose(): Promise<void> {
    await this.kill();
    rmSync(this.data, { recursive: true, force: true });
  }

  private async end(signal: NodeJS.Signals): Promise<number | null> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return this.process.exitCode;
    const ended = once(this.process, "exit", { signal: AbortSignal.timeout(STOP_MS) });
    this.process.kill(signal);
    const [code] = (await ended) as [number | null];
    return code;
  }
}

async function launch(data: string, log: { text: string }, flags: readonly string[]): Promise<{ process: ChildProcess; url: URL }> {
  const env = environment();
  // The page being worked on, rather than the one inside the binary.
  const page = flags.includes("--page-dir") ? undefined : process.env["COLLAB_PAGE_DIR"];
  const pageArguments = page ? ["--page-dir", resolve(page)] : [];
  const child = spawn(binary(), ["serve", "--listen", "127.0.0.1:0", "--data-dir", data, ...pageArguments, ...flags], {
    // Somewhere without a `.env` file.
    cwd: data,
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ready = new Promise<URL>((found, failed) => {
    const read = (chunk: Buffer) => {
      log.text += chunk.toString();
      // The newest line counts: a restarted server has printed one before.
      const address = [...log.text.matchAll(/Collab is ready at (http:\S+)/g)].at(-1)?.[1];
      if (address && chunk.toString().includes("is ready at")) found(new URL(address));
    };
    child.stdout.on("data", read);
    child.stderr.on("data", read);
    child.once("error", failed);
    child.once("exit", (code) => failed(new Error(`the server ended with ${code}:\n${log.text}`)));
    setTimeout(() => failed(new Error(`the server did not start:\n${log.text}`)), START_MS).unref();
  });
  try {
    return { process: child, url: await ready };
  } catch (error) {
    child.kill("SIGKILL");
    throw error;
  }
}

/** The caller's, without what would configure the server. */
function environment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^COLLAB_|^(DATABASE_URL|HOST|PORT)$/.test(name)));
}

function binary(): string {
  const asked = process.env["COLLAB_TEST_BIN"];
  if (asked) return resolve(asked);
  const target = fileURLToPath(new URL("../../../../target/", import.meta.url));
  const found = ["release/collab", "debug/collab"].map((path) => join(target, path)).find(existsSync);
  if (!found) throw new Error("no server to test: run `cargo xtask build`, or set COLLAB_TEST_BIN");
  return found;
}
