/** Loads the WASM client and makes one. Must not know what a session does with it. */
import init, { Client } from "./wasm/collab_wasm.js";
import wasmUrl from "./wasm/collab_wasm_bg.wasm?url";

let loading: Promise<unknown> | undefined;

/** Fetches and compiles the client; once, however often it is called. */
export async function loadWasm(): Promise<void> {
  loading ??= init({ module_or_path: wasmUrl });
  try {
    await loading;
  } catch (error) {
    loading = undefined;
    throw error;
  }
}

/**
 * A client with a replica id of its own. 32 random bits, drawn anew for every stay: a replica id
 * may never be used again by somebody who does not hold all of its earlier edits.
 */
export function newClient(): Client {
  const [replica = 0, seed = 0] = crypto.getRandomValues(new Uint32Array(2));
  return new Client(replica, seed);
}

export { subprotocol } from "./wasm/collab_wasm.js";
