/** One room on the screen: puts session, editor, presence and the bars together, and knows how
 *  none of them works. */
import { type Extension } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import { setLanguage } from "./api.js";
import { roomUrl, socketUrl } from "./address.js";
import { type Disposable, disposeAll, listen } from "./dom.js";
import { mountEditor } from "./editor/editor.js";
import { type Language, languageNamed, languageOf, LANGUAGES } from "./editor/languages.js";
import { type Caret, remoteCarets, setCarets } from "./presence/carets.js";
import { cleanName, freeColor, type Identity, MAX_NAME_LENGTH, PALETTE, rememberedName, rememberName } from "./presence/identity.js";
import { Peers } from "./presence/peers.js";
import { createPublisher } from "./presence/publisher.js";
import { createSession, type Session } from "./session.js";
import { socketTo } from "./socket.js";
import { mountFrame } from "./ui/frame.js";
import { mountLanguagePicker } from "./ui/language.js";
import { mountPeople } from "./ui/people.js";
import { mountPill } from "./ui/pill.js";
import { mountShare } from "./ui/share.js";
import { newClient, subprotocol } from "./wasm.js";

/** The file that every room has. */
const MAIN_FILE = "main";

/** How much of a text is looked at to find its language, in UTF-16 code units. */
const BEGINNING = 4_096;

/** How long after the last change it is looked at, in milliseconds. */
const DETECT_MS = 500;

export interface RoomOptions {
  readonly root: URL;
  readonly room: string;
  readonly announce: (text: string) => void;
}

/** Needs the WASM client to be loaded. */
export function mountRoom(parent: HTMLElement, { root, room, announce }: RoomOptions): Disposable {
  const frame = mountFrame(parent);
  const session: Session = createSession(newClient(), socketTo(socketUrl(room, root), subprotocol()));
  const peers = new Peers();
  let me: Identity = { name: rememberedName(), color: randomColor() };

  const publisher = createPublisher({
    identity: me,
    sticky: (offsets) => session.sticky(MAIN_FILE, offsets),
    publish: (state) => session.presence(state),
  });
  const editor = mountEditor(frame.editor, {
    label: "Text of this room",
    text: session.openFile(MAIN_FILE),
    edited: (edits) => session.edit(MAIN_FILE, edits),
    extensions: [publisher.extension, remoteCarets(), showPosition(frame.position), whenTextChanges(() => lookAtLanguage())],
  });

  const pill = mountPill(frame.pill, {
    retry: () => session.retry(),
    download: () => download(`${room.replaceAll(/[^\w.-]+/g, "-")}.txt`, editor.view.state.sliceDoc()),
    reload: () => location.reload(),
    announce,
  });
  const people = mountPeople(frame.people, {
    me,
    maxNameLength: MAX_NAME_LENGTH,
    rename(name) {
      become({ ...me, name: cleanName(name) ?? me.name });
      rememberName(me.name);
      return me.name;
    },
  });
  const share = mountShare(frame.actions, { link: () => roomUrl(room, root).href, announce });
  const picker = mountLanguagePicker(frame.language, {
    choices: LANGUAGES,
    choose(id) {
      setLanguage(root, room, id ?? "").catch((error: unknown) => {
        announce(error instanceof Error ? error.message : String(error));
        showLanguage();
      });
    },
  });

  function become(next: Identity): void {
    me = next;
    publisher.setIdentity(me);
    people.show(me, peers.list());
  }

  /** Two people may have drawn one colour: the one with the later number takes another. */
  function avoidColors(): void {
    const others = peers.list();
    const elders = others.filter((peer) => peer.replica < session.replica);
    if (elders.some((peer) => peer.color === me.color)) {
      become({ ...me, color: freeColor(me.color, new Set(others.map((peer) => peer.color))) });
    }
  }

  function showCarets(): void {
    const withCaret = peers.list().flatMap((peer) => (peer.cursor ? [{ peer, cursor: peer.cursor }] : []));
    const places = session.resolve(withCaret.flatMap(({ cursor }) => [cursor.anchor, cursor.head]));
    const carets = withCaret.flatMap(({ peer, cursor: _ }, i): Caret[] => {
      const anchor = places[2 * i];
      const head = places[2 * i + 1];
      if (anchor?.file !== MAIN_FILE || head?.file !== MAIN_FILE) return [];
      return [{ replica: peer.replica, name: peer.name, color: peer.color, anchor: anchor.offset, head: head.offset }];
    });
    editor.view.dispatch({ effects: setCarets.of(carets) });
  }

  let found: Language = languageOf(editor.view.state.sliceDoc(0, BEGINNING));
  let detecting: ReturnType<typeof setTimeout> | undefined;

  function showLanguage(): void {
    const said = session.files().find((file) => file.id === MAIN_FILE)?.language;
    const chosen = said ? languageNamed(said) : undefined;
    picker.show(chosen, found);
    editor.setLanguage(chosen ?? found).catch(() => announce("The colours for this language could not be loaded."));
  }

  function lookAtLanguage(): void {
    clearTimeout(detecting);
    detecting = setTimeout(() => {
      found = languageOf(editor.view.state.sliceDoc(0, BEGINNING));
      showLanguage();
    }, DETECT_MS);
  }

  function showDescription(): void {
    const name = session.meta("name") || shortened(room);
    frame.title.textContent = name;
    frame.title.title = room;
    document.title = `${name} · Collab`;
    showLanguage();
  }

  people.show(me, []);
  showDescription();
  session.start({
    changed(file, edits) {
      if (file !== MAIN_FILE) return;
      editor.applyRemote(edits);
      // Positions hold on to the text better than mapping does: look them up again.
      if (peers.list().length > 0) showCarets();
    },
    reset(file, text) {
      if (file === MAIN_FILE) editor.show(text);
    },
    described: showDescription,
    peer(replica, state) {
      const { before, after } = peers.update(replica, state);
      if (after && !before) announce(`${after.name} joined.`);
      if (before && !after) announce(`${before.name} left.`);
      if (before?.name !== after?.name || before?.color !== after?.color) {
        people.show(me, peers.list());
        avoidColors();
      }
      showCarets();
    },
    status: (state) => pill.show(state),
    broken: (error) => console.error(error),
  });
  editor.view.focus();

  const listeners = [
    listen(window, "online", () => session.retry()),
    listen(window, "focus", () => retryIfWaiting()),
    listen(window, "beforeunload", (event) => {
      const state = session.state();
      if ("unsaved" in state && state.unsaved > 0) event.preventDefault();
    }),
    listen(window, "pagehide", (event) => {
      // Gone for good: say goodbye, so that others see it at once.
      if (!event.persisted) session.stop();
    }),
  ];

  function retryIfWaiting(): void {
    const { kind } = session.state();
    if (kind === "reconnecting" || kind === "offline") session.retry();
  }

  return {
    dispose() {
      clearTimeout(detecting);
      session.stop();
      disposeAll([frame, editor, pill, people, share, picker, ...listeners]);
      document.title = "Collab";
    },
  };
}

function randomColor(): string {
  const [draw = 0] = crypto.getRandomValues(new Uint32Array(1));
  return PALETTE[draw % PALETTE.length] ?? "#5761df";
}

/** Drawn names of rooms say nothing to people: their beginning is enough to tell them apart. */
function shortened(room: string): string {
  return /^[0-9a-f]{8}-[0-9a-f-]{27}$/i.test(room) ? `Room ${room.slice(0, 8)}` : room;
}

function showPosition(place: HTMLElement): Extension {
  return EditorView.updateListener.of(({ state, selectionSet, docChanged, view }) => {
    if (!selectionSet && !docChanged && place.textContent) return;
    const { head } = view.state.selection.main;
    const line = state.doc.lineAt(head);
    place.textContent = `Ln ${line.number}, Col ${head - line.from + 1}`;
  });
}

function whenTextChanges(react: () => void): Extension {
  return EditorView.updateListener.of((update) => {
    if (update.docChanged) react();
  });
}

function download(name: string, text: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/plain;charset=utf-8" }));
  link.download = name;
  link.click();
  // The download holds its own reference once it has begun.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
