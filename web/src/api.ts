/** The few HTTP requests of the page. Must not know the screen. */

/** Makes a room; resolves to its name. Rejects with an `Error` that a person can read. */
export async function createRoom(root: URL): Promise<string> {
  const answer = await request(new URL("api/rooms", root), "POST", {});
  const room = isRecord(answer) ? (answer["roomId"] ?? answer["id"]) : undefined;
  if (typeof room !== "string") throw new Error("The server made a room but did not say which.");
  return room;
}

/** The text of a file as the server has it, to be read before anything else is here; "" when there
 *  is no such room yet, `undefined` when the server cannot be asked. */
export async function textOf(root: URL, room: string, file: string): Promise<string | undefined> {
  const url = new URL(`api/rooms/${encodeURIComponent(room)}/files/${encodeURIComponent(file)}`, root);
  try {
    // In the very way the server has the browser ask for it in advance (it is never kept unasked).
    const response = await fetch(url);
    if (response.status === 404) return "";
    return response.ok ? await response.text() : undefined;
  } catch {
    return undefined;
  }
}

async function request(url: URL, method: string, body: unknown): Promise<unknown> {
  let response: Response;
  try {
    response = await fetch(url, {
      method,
      headers: { "content-type": "application/json", accept: "application/json" },
      body: JSON.stringify(body),
    });
  } catch {
    throw new Error("The server does not answer. Is it running?");
  }
  const answer: unknown = await response.json().catch(() => undefined);
  if (response.ok) return answer;
  const detail = isRecord(answer) ? (answer["detail"] ?? answer["title"]) : undefined;
  throw new Error(typeof detail === "string" ? detail : `The server answered ${response.status}.`);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
