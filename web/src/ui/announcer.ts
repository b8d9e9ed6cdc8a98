/** Speaks to those who do not see the screen. Must not know about what. */

/** How long sentences are gathered before they are spoken, in milliseconds; several people may
 *  come at once. */
const GATHER_MS = 500;

/** Speaks through `place`, a polite live region that is in the page from the start. */
export function createAnnouncer(place: HTMLElement): (text: string) => void {
  let waiting: string[] = [];
  return (text) => {
    waiting.push(text);
    if (waiting.length > 1) return;
    setTimeout(() => {
      place.textContent = waiting.join(" ");
      waiting = [];
    }, GATHER_MS);
  };
}
