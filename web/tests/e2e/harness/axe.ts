/** What axe-core says of a screen. Must not know which screen. */
import { source } from "axe-core";
import type { AxeResults } from "axe-core";
import type { Page } from "playwright-core";
import { expect } from "vitest";

/** Fails with what axe finds, in a few lines a person can act on. `screen` says where. Every rule
 *  counts, also those that no law asks for. */
export async function axeFindsNothing(page: Page, screen: string): Promise<void> {
  if (!(await page.evaluate(() => "axe" in window))) {
    // Not as an element: the page's security policy takes no scripts but its own.
    await page.evaluate(source);
  }
  await settled(page);
  const { violations } = await page.evaluate(
    async () => (window as unknown as { axe: { run(): Promise<AxeResults> } }).axe.run(),
  );
  const found = violations.flatMap(({ id, help, nodes }) =>
    nodes.filter(({ html }) => !isListBesideText(id, html)).map(({ target, failureSummary }) => `${screen}: ${id}: ${help}: ${target.join(" ")}: ${failureSummary?.split("\n").slice(1).join("; ").trim()}`),
  );
  expect.soft(found).toEqual([]);
}

/** The list of completions scrolls by the arrow keys while the text has the focus
 *  (`aria-activedescendant`), which axe only knows of where the text is a combobox. */
function isListBesideText(rule: string, html: string): boolean {
  return rule === "scrollable-region-focusable" && /^<ul [^>]*role="listbox"/.test(html);
}

/** Nothing moves or fades any more: a contrast half way would be found as too low. */
async function settled(page: Page): Promise<void> {
  await page.waitForFunction(() => document.getAnimations().every((animation) => animation.playState !== "running" || animation.effect?.getTiming().iterations === Infinity));
}
