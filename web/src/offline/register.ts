/** Has the browser keep the page itself, so that it opens without a network. Must not know how. */

/**
 * Registers the service worker, which fetches all there is: to be called when nobody waits for the line
 * any more; the page's own load it waits for by itself. Does nothing where there are none: over plain HTTP
 * from another machine, in some private windows, and under vite's development server.
 */
export function registerWorker(root: URL): void {
  if (!import.meta.env.PROD || !("serviceWorker" in navigator)) return;
  const register = () => {
    navigator.serviceWorker
      // Always asked of the server, never of the browser's cache: an old worker must not stay.
      .register(new URL("sw.js", root), { scope: root.pathname, updateViaCache: "none" })
      .catch((error: unknown) => console.warn("The page cannot be kept for use without a network:", error));
  };
  if (document.readyState === "complete") register();
  else addEventListener("load", register, { once: true });
}
