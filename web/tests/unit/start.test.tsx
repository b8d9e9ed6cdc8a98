/**
 * The start page's list of rooms holds text that may be nowhere else.
 * @vitest-environment happy-dom
 */
import { render } from "preact";
import { expect, test, vi } from "vitest";
import { Start, type Visited } from "../../src/ui/start.js";

async function start(rooms: readonly Visited[]) {
  const forget = vi.fn(async () => {});
  const ignored = { create: async () => {}, join: () => false, problem: undefined };
  render(<Start {...ignored} recent={async () => rooms} forget={forget} linkTo={(room) => `/room/${room}`} />, document.body);
  await vi.waitFor(() => expect(document.querySelectorAll(".recent li")).toHaveLength(rooms.length));
  return { forget, buttons: [...document.querySelectorAll<HTMLButtonElement>(".recent button")] };
}

test("a room with edits that only this device has is not forgotten unasked", async () => {
  const { forget, buttons } = await start([
    { room: "a", name: "Plans", visitedAt: 0, unsaved: 3 },
    { room: "b", name: "", visitedAt: 0, unsaved: 0 },
  ]);
  expect([...document.querySelectorAll(".recent a")].map((link) => link.textContent)).toEqual(["Plans", "b"]);
  const asked = vi.fn(() => false);
  vi.stubGlobal("confirm", asked);
  buttons[0]?.click();
  expect(asked).toHaveBeenCalledWith(expect.stringContaining("3 changes"));
  expect(forget).not.toHaveBeenCalled();
  asked.mockReturnValue(true);
  buttons[0]?.click();
  buttons[1]?.click();
  await vi.waitFor(() => expect(document.querySelectorAll(".recent li")).toHaveLength(0));
  expect(forget.mock.calls).toEqual([["a"], ["b"]]);
  expect(asked).toHaveBeenCalledTimes(2);
});
