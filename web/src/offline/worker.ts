/**
 * The service worker: a room that was opened once on this device opens without a network. Serves
 * the page's own files and nothing else: never the API, never a socket, never a text. Must not know
 * what the page does.
 *
 * It is built as a file of its own at the page's root (`vite.config.ts`) and shares no code with the
 * page. A new version waits until no tab has the old one any more, so that an open tab finds the
 * files it was built with; meanwhile the network has the word, so nobody waits for a new page.
 */
export {};

/** The files of this build, relative to the page's root. */
declare const __FILES__: readonly string[];
/** Changes when one of them does. */
declare const __VERSION__: string;

/** The few parts of `ServiceWorkerGlobalScope` that are used: TypeScript knows either the page's
 *  globals or a worker's. */
interface Scope {
  readonly registration: { readonly scope: string; readonly navigationPreload?: { enable(): Promise<void> } };
  readonly clients: { claim(): Promise<void> };
  addEventListener(type: "install" | "activate", listener: (event: Lasting) => void): void;
  addEventListener(type: "fetch", listener: (event: Fetching) => void): void;
}

interface Lasting {
  waitUntil(work: Promise<unknown>): void;
}

interface Fetching extends Lasting {
  readonly request: Request;
  readonly preloadResponse?: Promise<Response | undefined>;
  respondWith(response: Promise<Response>): void;
}

/** Milliseconds that a server may take to answer with the page before the kept one is shown. */
const NETWORK_MS = 2_500;

const scope = self as unknown as Scope;
const root = new URL(scope.registration.scope);
/** Caches of other roots of this origin are left alone. */
const prefix = `collab:${root.pathname}:`;
const cacheName = prefix + __VERSION__;
const files = new Set(__FILES__);

scope.addEventListener("install", (event) => {
  event.waitUntil(install());
});

scope.addEventListener("activate", (event) => {
  event.waitUntil(activate());
});

scope.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== root.origin || !url.pathname.startsWith(root.pathname)) return;
  const path = url.pathname.slice(root.pathname.length);
  if (request.mode === "navigate") {
    // `/` and `/room/…` are the page; whatever else a browser goes to is the server's.
    if (path === "" || path.startsWith("room/")) event.respondWith(page(event));
  } else if (path.startsWith("assets/")) {
    event.respondWith(hashed(request));
  } else if (files.has(path)) {
    event.respondWith(fresh(request));
  }
});

/** All files, or it is not installed. What the page has just loaded comes from the browser's own
 *  cache; the page itself is asked for anew. */
async function install(): Promise<void> {
  const cache = await caches.open(cacheName);
  const wanted = [...files].map((file) => new Request(new URL(file, root), { cache: file.startsWith("assets/") ? "default" : "no-cache" }));
  await cache.addAll([new Request(root, { cache: "no-cache" }), ...wanted]);
}

/** No tab has an older version any more. */
async function activate(): Promise<void> {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.startsWith(prefix) && name !== cacheName).map((name) => caches.delete(name)));
  // The browser asks the server while it starts this worker.
  await scope.registration.navigationPreload?.enable();
  await scope.clients.claim();
}

/** The page from the server, when it answers in time; otherwise the kept one. */
async function page(event: Fetching): Promise<Response> {
  const asked = Promise.resolve(event.preloadResponse).then((response) => response ?? fetch(event.request));
  const answer = await inTime(asked.catch(() => undefined));
  // What stands between here and the server answers with 5xx when the server is away.
  if (answer && answer.status < 500) return answer;
  return (await kept(root.href)) ?? asked;
}

/** A file whose name says what is in it. */
async function hashed(request: Request): Promise<Response> {
  return (await kept(request.url)) ?? fetch(request);
}

/** A file that may change. */
async function fresh(request: Request): Promise<Response> {
  const asked = fetch(request);
  const answer = await asked.catch(() => undefined);
  return answer ?? (await kept(request.url)) ?? asked;
}

/** From whichever version has it: one that waits for its turn may know more. */
async function kept(url: string): Promise<Response | undefined> {
  for (const name of await caches.keys()) {
    if (!name.startsWith(prefix)) continue;
    const found = await (await caches.open(name)).match(url, { ignoreVary: true });
    if (found) return found;
  }
  return undefined;
}

function inTime(answer: Promise<Response | undefined>): Promise<Response | undefined> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(undefined), NETWORK_MS);
    void answer.then((response) => {
      clearTimeout(timer);
      resolve(response);
    });
  });
}
