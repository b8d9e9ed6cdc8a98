/** Gives out the room's link: to copy, or as a QR code for a phone. Must not know what is behind
 *  it. */
import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useRef } from "preact/hooks";
import { Icon } from "./icons.js";
import { Popover } from "./popover.js";
import type { Code } from "./qr.js";

/** How long a button says that it worked, in milliseconds. */
const THANKS_MS = 2_000;

export interface ShareProps {
  readonly link: string;
  /** Copies the link; false when the browser does not let us. */
  readonly copy: () => Promise<boolean>;
}

export function Share({ link, copy }: ShareProps): JSX.Element {
  const copied = useSignal(false);
  const refused = useSignal(false);
  const code = useSignal<Code | undefined>(undefined);
  const field = useRef<HTMLInputElement>(null);

  async function press(): Promise<void> {
    if (await copy()) {
      copied.value = true;
      setTimeout(() => (copied.value = false), THANKS_MS);
    } else {
      refused.value = true;
      field.current?.focus();
      field.current?.select();
    }
  }

  async function drawCode(): Promise<void> {
    const { codeOf } = await import("./qr.js");
    code.value = codeOf(link);
  }

  return (
    <Popover
      id="share"
      buttonClass="button primary share"
      label="Share"
      face={
        <>
          <Icon name="share" />
          <span>Share</span>
        </>
      }
      name="Share this room"
      toggled={(open) => {
        if (!open) return;
        refused.value = false;
        void drawCode();
      }}
    >
      <h2>Share this room</h2>
      {isOnlyHere(link) ? (
        <p class="only-here">
          This address works on this computer only. To let others in, start the server with <code>--listen 0.0.0.0:8000</code> and open the page under this computer’s
          address.
        </p>
      ) : (
        <p>Whoever opens this link writes with you. Nobody needs an account.</p>
      )}
      <div class="row">
        <input class="field link-field" type="text" readonly value={link} aria-label="Link to this room" ref={field} onFocus={(event) => event.currentTarget.select()} />
        <button type="button" class="button primary" data-autofocus onClick={() => void press()}>
          {copied.value ? "Copied ✓" : "Copy"}
        </button>
      </div>
      <p class="hint" role="status">
        {refused.value ? "This browser does not let the page copy. The link is selected: press Ctrl+C." : ""}
      </p>
      {code.value === undefined ? null : (
        <figure class="qr">
          <svg viewBox={`0 0 ${code.value.size} ${code.value.size}`} role="img" aria-label="QR code of the link" shape-rendering="crispEdges">
            <path d={code.value.path} />
          </svg>
          <figcaption>Scan to open on a phone</figcaption>
        </figure>
      )}
    </Popover>
  );
}

/** Whether the address means "this computer", whoever reads it (RFC 6761, RFC 5735). */
function isOnlyHere(link: string): boolean {
  const { hostname } = new URL(link);
  return hostname === "localhost" || hostname.endsWith(".localhost") || hostname === "[::1]" || /^127\./.test(hostname);
}
