/** One room on the screen: puts session, presence, completion and the bars around the text that is
 *  there already (`room/first`), and knows how none of them works. */
import { computed, effect, signal } from "@preact/signals";
import { redo, undo } from "@codemirror/commands";
import { openSearchPanel } from "@codemirror/search";
import { runScopeHandlers } from "@codemirror/view";
import { roomUrl, socketUrl } from "./address.js";
import type { Engine } from "./autocomplete/engine.js";
import { ghostText } from "./autocomplete/ghost.js";
import { completionPopup } from "./autocomplete/popup.js";
import { type Disposable, disposeAll, listen } from "./dom.js";
import { comforts } from "./editor/comforts.js";
import type { Editor } from "./editor/editor.js";
import { INDENTATIONS } from "./editor/indentation.js";
import { LANGUAGES } from "./editor/languages.js";
import { MAX_INSERT_BYTES } from "./editor/limit.js";
import { openKeeper } from "./offline/keeper.js";
import { watchSiblings } from "./offline/siblings.js";
import type { Store } from "./offline/store.js";
import { redrawCarets } from "./presence/caret-layers.js";
import { MAX_NAME_LENGTH, PALETTE } from "./presence/identity.js";
import { createCompany } from "./room/company.js";
import { rememberedFile, rememberFile } from "./room/last-file.js";
import type { First } from "./room/first.js";
import { fileName, Files, MAIN_FILE, MAX_FILE_NAME, newFileId, shownName } from "./room/files.js";
import { historyDoor } from "./room/history.js";
import { watchLanguage } from "./room/language.js";
import { textFirst } from "./room/opening.js";
import { positionIn, watchPosition } from "./room/position.js";
import { isTyping, nextRegion } from "./room/regions.js";
import { createSession, type Session } from "./session.js";
import type { Settings } from "./settings.js";
import { socketTo } from "./socket.js";
import type { PhoneKey } from "./ui/phone-bar.js";
import { watchStatus } from "./ui/pill.js";
import { renderRoom } from "./ui/room-screen.js";
import type { Position } from "./ui/status-bar.js";
import { createToasts } from "./ui/toasts.js";
import { loadWasm, newClient, subprotocol } from "./wasm.js";
import type { Edit, SaveState } from "./wasm/collab_wasm.js";

export interface RoomOptions {
  readonly root: URL;
  readonly settings: Settings;
  /** What this device keeps. */
  readonly store: Promise<Store | undefined>;
  readonly announce: (text: string) => void;
  /** The room is here, whole. */
  readonly arrived: () => void;
}

/** Takes over from the room's first moment; disposes of that too. */
export function mountRoom(first: First, { root, settings, store, announce, arrived }: RoomOptions): Disposable {
  const { room, opening } = first;
  const editor: Editor = first.editor;
  const link = roomUrl(room, root).href;
  const status = signal<SaveState>({ kind: "connecting" });
  const onDisk = signal(false);
  const early = signal(false);
  /** Whether every edit made here is on this device's disk: those that no document has are not. */
  const kept = computed(() => onDisk.value && !early.value);
  const pill = watchStatus(status);
  const name = signal(shortened(room));
  const active = signal(MAIN_FILE);
  const position = signal<Position>({ line: 1, column: 1, selected: 0 });
  const readOnly = signal(false);
  const shortcuts = signal(false);
  const toasts = createToasts();
  const files = new Files();
  let session: Session | undefined;
  let gone = false;
  let nameKept: (name: string) => void = () => {};
  let drop: () => Promise<void> = async () => {};

  const say = (text: string): void => {
    toasts.show(text);
    announce(text);
  };

  // The editor ---------------------------------------------------------------------------------

  const company = createCompany({
    file: () => active.peek(),
    editor: () => editor,
    session: () => session,
    fileName: (id) => fileName(files.get(id)),
    go,
    labels: () => settings.labels.peek(),
    announce: say,
  });
  const language = watchLanguage({
    editor: () => editor,
    said: () => files.get(editor.file),
    failed: () => say("The colours for this language could not be loaded."),
  });
  const past = historyDoor(() => ({
    root,
    room,
    place: first.screen,
    editor,
    active,
    fileName: (id) => fileName(files.get(id)),
    language: () => language.shown().load(),
    wrap: settings.wrap,
    say,
    announce,
    save,
  }));
  editor.extend([
    company.extension,
    language.extension,
    past.extension,
    ghostText({
      engine,
      language: () => language.id(),
      idleMs: () => settings.completionDelayMs.peek(),
      enabled: () => settings.completion.peek() && company.following.peek() === undefined,
      announce,
      touch: matchMedia("(pointer: coarse)").matches,
    }),
    completionPopup({ engine, language: () => language.id() }),
    watchPosition((now) => (position.value = now)),
    comforts(),
  ]);

  function edited(file: string, edits: readonly Edit[]): void {
    if (opening.isAttached) session?.edit(file, edits);
    // Others stand in other lines now.
    company.textChanged();
    early.value = opening.hasEarlyEdits;
  }

  /** Another file is on the screen. */
  function shown(isNew: boolean): void {
    active.value = editor.file;
    if (opening.isAttached) rememberFile(room, editor.file);
    position.value = positionIn(editor.view.state);
    language.look();
    company.fileShown(isNew);
  }

  function go(file: string): void {
    if (file === editor.file || !session || !opening.isAttached) return;
    // Others may say that they are in one that was removed: what is typed there nobody would find.
    if (!files.has(file)) return;
    const isNew = !editor.has(file);
    const from = session;
    editor.open(file, () => from.openFile(file));
    shown(isNew);
    editor.view.focus();
  }

  // The session --------------------------------------------------------------------------------

  async function join(): Promise<void> {
    const opened = openKeeper({ store, room, keptChanged: (is) => (onDisk.value = is) });
    const [keeper] = await Promise.all([opened, textFirst(first.text).then(loadWasm)]);
    if (gone) {
      keeper.close();
      return;
    }
    const mine = createSession(newClient(), socketTo(socketUrl(room, root), subprotocol()), keeper);
    session = mine;
    onDisk.value = keeper.isKept();
    nameKept = (wanted) => keeper.named(wanted);
    drop = () => keeper.drop();
    mine.start({
      changed(file, edits) {
        editor.applyRemote(file, edits);
        company.textChanged();
      },
      reset: (file, text) => editor.reset(file, text),
      described,
      peer: (replica, state) => company.peer(replica, state),
      status(state) {
        // What was painted is newer than what is kept, as long as the server may still answer.
        if (isHere(state) || (keeper.kept && state.kind !== "connecting")) attach(mine);
        company.connected(isHere(state));
        status.value = state;
        // What is typed now would go nowhere.
        readOnly.value = state.kind === "attention";
      },
      refused: say,
      broken: (error) => console.error(error),
    });
    // What this device has kept is there whether the server answers or not; and an empty text needs
    // no answer.
    if (opening.painted === "" || (keeper.kept && opening.painted === undefined)) attach(mine);
  }

  /** The document has the server's text: from now on it and the editor are one. */
  function attach(mine: Session): void {
    if (opening.isAttached) return;
    const typed = opening.hasEarlyEdits;
    opening.attach(mine.openFile(MAIN_FILE), (edits) => mine.edit(MAIN_FILE, edits));
    early.value = false;
    company.attached();
    described();
    arrived();
    const last = rememberedFile(room);
    // Unless somebody has begun in this one already.
    if (last !== undefined && !typed) go(last);
  }

  function described(): void {
    if (!session) return;
    for (const file of files.take(session.files())) {
      if (file.id === editor.file) {
        say(`${fileName(file)} was removed by somebody else.`);
        go(MAIN_FILE);
        // What the person is typing is not meant for this text.
        editor.view.contentDOM.blur();
      }
      editor.close(file.id);
    }
    name.value = shownName(session.meta("name") ?? "") || shortened(room);
    nameKept(name.peek());
    language.look();
  }

  join().catch((error: unknown) => {
    console.error(error);
    if (gone) return;
    const unsaved = opening.hasEarlyEdits ? 1 : 0;
    status.value = { kind: "attention", unsaved, reason: "The editor's code could not be loaded. The text of the room is not affected." };
    readOnly.value = true;
  });

  // What people press --------------------------------------------------------------------------

  async function copyLink(): Promise<boolean> {
    try {
      // Absent over plain HTTP on a LAN, where pages are not trusted with the clipboard.
      await navigator.clipboard.writeText(link);
    } catch {
      return false;
    }
    say("Link copied.");
    return true;
  }

  function download(): void {
    const { path } = files.get(editor.file);
    save(shownName(path) || `${name.peek().replaceAll(/[^\w.-]+/g, "-")}.txt`, editor.view.state.sliceDoc());
  }

  async function discard(): Promise<void> {
    const state = status.peek();
    const count = "unsaved" in state ? state.unsaved : 0;
    const what = count === 1 ? "the 1 change" : `the ${count} changes`;
    if (count > 0 && !confirm(`Forget ${what} that only this device has, and show what the server has? Download a copy first if you may want them.`)) return;
    try {
      await drop();
      await siblings.discard();
    } catch {
      say("What is kept on this device could not be forgotten. Try again.");
      return;
    }
    location.reload();
  }

  // A tab that goes on well has nothing to discard.
  const siblings = watchSiblings(link, {
    discard: async () => (status.peek().kind === "attention" ? drop() : undefined),
    discarded: () => status.peek().kind === "attention" && location.reload(),
  });

  function press(key: PhoneKey): void {
    const { view } = editor;
    if (key === "undo") undo(view);
    else if (key === "redo") redo(view);
    else if (key === "find") openSearchPanel(view);
    else runScopeHandlers(view, new KeyboardEvent("keydown", { key: KEY_NAMES[key] }), "editor");
  }

  let saidSaved = false;

  const listeners = [
    listen(window, "online", retry),
    listen(window, "focus", retryIfWaiting),
    listen(document, "visibilitychange", () => document.hidden || retryIfWaiting()),
    listen(window, "keydown", (event) => {
      retryIfWaiting();
      if ((event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "s") {
        if (saidSaved) download();
        else say(`${isHere(status.peek()) && status.peek().kind !== "notSaved" ? "Your text is saved as you type." : "The server cannot save your text at the moment."} Press again to download it.`);
        saidSaved = true;
      } else if (event.ctrlKey && event.altKey && event.code === "KeyS") document.getElementById("share")?.togglePopover();
      else if (event.key === "F6") nextRegion(event.shiftKey);
      else if (event.key === "F1" || (event.key === "?" && !isTyping(event.target))) shortcuts.value = true;
      else if (!past.key(event)) return;
      event.preventDefault();
    }),
    listen(window, "beforeunload", (event) => {
      const state = status.peek();
      const unsaved = "unsaved" in state && state.unsaved > 0;
      if (unsaved && !kept.peek()) event.preventDefault();
    }),
    listen(window, "pagehide", (event) => {
      // Gone for good: say goodbye, so that others see it at once.
      if (!event.persisted) session?.stop();
    }),
  ];

  function retry(): void {
    session?.retry();
  }

  function retryIfWaiting(): void {
    const { kind } = status.peek();
    if (kind === "offline" || kind === "reconnecting") retry();
  }

  // The screen ---------------------------------------------------------------------------------

  const dark = matchMedia("(prefers-color-scheme: dark)");
  const systemDark = signal(dark.matches);
  const followSystem = () => (systemDark.value = dark.matches);
  dark.addEventListener("change", followSystem);

  const stopEffects = [
    effect(() => editor.setDark(settings.theme.value === "dark" || (settings.theme.value === "system" && systemDark.value))),
    effect(() => editor.setWrap(settings.wrap.value)),
    effect(() => {
      settings.labels.value;
      editor.view.dispatch({ effects: redrawCarets.of(null) });
    }),
    effect(() => editor.setReadOnly(readOnly.value)),
    effect(() => {
      document.title = `${name.value} · Collab`;
    }),
  ];

  const leaveScreen = renderRoom(first.places, {
    home: root.href,
    name,
    maxNameLength: MAX_FILE_NAME,
    renameRoom: (wanted) => session?.setMeta("name", wanted),
    pill: { shown: pill, kept, retry, download, reload: () => location.reload(), discard: () => void discard(), announce },
    people: {
      me: company.me,
      others: company.others,
      following: company.following,
      palette: PALETTE,
      maxNameLength: MAX_NAME_LENGTH,
      rename: (wanted) => company.rename(wanted),
      recolor: (color) => company.recolor(color),
      jump: (replica) => company.jump(replica),
      follow: (replica) => company.follow(replica),
      copyLink: () => void copyLink(),
    },
    share: { link, copy: copyLink },
    tabs: {
      tabs: computed(() =>
        files.list.value.map((file) => ({ id: file.id, name: fileName(file), colors: company.colorsIn.value.get(file.id) ?? [] })),
      ),
      active,
      main: MAIN_FILE,
      maxNameLength: MAX_FILE_NAME,
      go,
      add(path) {
        const there = files.named(path);
        if (there) {
          say(`There is a file ${path} already.`);
          go(there.id);
          return;
        }
        const id = newFileId();
        session?.putFile(id, { path });
        go(id);
      },
      rename(id, path) {
        if (files.named(path)) say(`There is a file ${path} already.`);
        else session?.putFile(id, { path });
      },
      remove(id) {
        // It need not have been on the screen yet.
        const text = editor.has(id) ? editor.text(id) : (session?.openFile(id) ?? "");
        const { path, language } = files.get(id);
        go(MAIN_FILE);
        session?.removeFile(id);
        const again = () => {
          const back = newFileId();
          session?.putFile(back, { path, language });
          session?.edit(back, [{ at: 0, delete: 0, insert: text }]);
          go(back);
        };
        toasts.show(`${fileName({ id, path })} was removed.`, { label: "Undo", press: again });
        announce(`${fileName({ id, path })} was removed.`);
      },
    },
    status: {
      languages: LANGUAGES,
      language: language.language,
      chooseLanguage: (id) => session?.putFile(editor.file, { language: id ?? "" }),
      indents: INDENTATIONS,
      indent: computed(() => language.indentation.value.id),
      chooseIndent: (id) => language.chooseIndentation(id),
      position,
      readOnly,
      showHistory: () => past.toggle(),
    },
    phone: {
      press,
      insert(text) {
        const { view } = editor;
        if (view.state.readOnly) return;
        view.dispatch(view.state.replaceSelection(text), { userEvent: "input.type", scrollIntoView: true });
      },
    },
    settings,
    toasts,
    banner: computed(() => {
      const followed = company.others.value.find(({ replica }) => replica === company.following.value);
      if (!followed) return undefined;
      const stop = () => {
        company.follow(undefined);
        editor.view.focus();
      };
      return { text: `Following ${followed.name} (Esc stops)`, color: followed.color, label: "Stop", press: stop };
    }),
    shortcuts,
    showShortcuts: (open) => (shortcuts.value = open),
  });
  first.takeOver({
    label: (id) => `Text of ${fileName(files.get(id))}`,
    edited,
    tooLarge: (bytes) => say(`${megabytes(bytes)} at once is more than the ${megabytes(MAX_INSERT_BYTES)} that can be inserted; nothing was.`),
    caughtUp: () => company.textCaughtUp(),
    painted: () => shown(true),
  });
  early.value = opening.hasEarlyEdits;

  return {
    dispose() {
      gone = true;
      siblings.dispose();
      session?.stop();
      for (const stop of stopEffects) stop();
      dark.removeEventListener("change", followSystem);
      disposeAll([...listeners, pill, past]);
      language.dispose();
      company.dispose();
      leaveScreen();
      first.dispose();
    },
  };
}

/** The completion engine, which nobody needs in order to type. */
async function engine(): Promise<Engine> {
  return (await import("./autocomplete/engine.js")).loadEngine();
}

/** Keys of the phone's bar that the editor handles as keys. */
const KEY_NAMES = { tab: "Tab", left: "ArrowLeft", right: "ArrowRight" } as const;

/** Whether the server's text is in the document. */
function isHere({ kind }: SaveState): boolean {
  return kind === "saved" || kind === "saving" || kind === "notSaved";
}

/** Drawn names of rooms say nothing to people: their beginning is enough to tell them apart. */
function shortened(room: string): string {
  return /^[0-9a-f]{8}-[0-9a-f-]{27}$/i.test(room) ? `Room ${room.slice(0, 8)}` : room;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1_048_576).toFixed(bytes < 10_485_760 ? 1 : 0)} MB`;
}

function save(name: string, text: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/plain;charset=utf-8" }));
  link.download = name;
  link.click();
  // The download holds its own reference once it has begun.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
