/** Names that others gave. */
import { expect, test } from "vitest";
import { fileName, MAX_FILE_NAME } from "../../src/room/files.js";

test("a file's name neither turns its surroundings around nor fills the page", () => {
  const named = (path: string) => fileName({ id: "id", path });
  expect(named("notes.md")).toBe("notes.md");
  expect(named("photo\u202egnp.exe\n")).toBe("photognp.exe");
  expect(named("\u2066\u200b")).toBe("id");
  expect([...named("😀".repeat(300))]).toHaveLength(MAX_FILE_NAME);
});
