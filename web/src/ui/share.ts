/** Gives out the room's link. Must not know what is behind it. */
import { type Disposable, element } from "../dom.js";

/** How long the button says that it worked, in milliseconds. */
const THANKS_MS = 2_000;

export interface ShareOptions {
  readonly link: () => string;
  readonly announce: (text: string) => void;
}

export function mountShare(parent: HTMLElement, options: ShareOptions): Disposable {
  const share = element("button", { type: "button", class: "button primary" }, "Share");
  let timer: ReturnType<typeof setTimeout> | undefined;
  let asked: HTMLDialogElement | undefined;

  async function copy(): Promise<void> {
    const link = options.link();
    try {
      // Absent over plain HTTP on a LAN, where pages are not trusted with the clipboard.
      await navigator.clipboard.writeText(link);
    } catch {
      offer(link);
      return;
    }
    share.textContent = "Link copied";
    options.announce("Link copied");
    clearTimeout(timer);
    timer = setTimeout(() => {
      share.textContent = "Share";
    }, THANKS_MS);
  }

  /** Shows the link, selected, for the person to copy. */
  function offer(link: string): void {
    const field = element("input", { class: "field", type: "text", readonly: "", value: link, "aria-label": "Link to this room" });
    const close = element("button", { type: "submit", class: "button" }, "Done");
    const dialog = element(
      "dialog",
      { class: "share" },
      element("form", { method: "dialog" }, element("p", {}, "Send this link to whoever shall write with you:"), field, close),
    );
    dialog.addEventListener("close", () => dialog.remove());
    asked?.remove();
    asked = dialog;
    document.body.append(dialog);
    dialog.showModal();
    field.select();
  }

  share.addEventListener("click", () => void copy());
  parent.append(share);
  return {
    dispose() {
      clearTimeout(timer);
      asked?.remove();
      share.remove();
    },
  };
}
