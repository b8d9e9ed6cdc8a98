/** Builds DOM elements in one expression. Must not know what for. */

type Child = Node | string | undefined;

export interface Disposable {
  dispose(): void;
}

/** An element with attributes and children. Text is always text, never markup. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Readonly<Record<string, string | undefined>> = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== undefined));
  return made;
}

/** Listens until disposed. */
export function listen<K extends keyof WindowEventMap>(target: Window, type: K, listener: (event: WindowEventMap[K]) => void): Disposable;
export function listen<K extends keyof DocumentEventMap>(target: Document, type: K, listener: (event: DocumentEventMap[K]) => void): Disposable;
export function listen(target: Window | Document, type: string, listener: (event: never) => void): Disposable {
  const heard = listener as EventListener;
  target.addEventListener(type, heard);
  return { dispose: () => target.removeEventListener(type, heard) };
}

/** Disposes of all, last first. */
export function disposeAll(parts: readonly Disposable[]): void {
  for (const part of parts.toReversed()) part.dispose();
}
