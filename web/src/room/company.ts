/**
 * Who is in a room with the person at this browser, where their carets are, and who the person is
 * to them: joins presence with the session and the editor. Must not know the screen.
 */
import { computed, type ReadonlySignal, signal } from "@preact/signals";
import type { Extension } from "@codemirror/state";
import { type Disposable, disposeAll } from "../dom.js";
import type { Editor } from "../editor/editor.js";
import { announcePeople } from "../presence/announcements.js";
import { watchActivity } from "../presence/activity.js";
import { createCaretFeed } from "../presence/caret-feed.js";
import { type LabelMode, remoteCarets } from "../presence/caret-layers.js";
import { changeCarets } from "../presence/carets.js";
import { caretChips } from "../presence/chips.js";
import { settleColor } from "../presence/colours.js";
import { cleanName, type Identity, rememberColor, rememberedColor, rememberedName, rememberedTab, rememberName } from "../presence/identity.js";
import { createFollow } from "../presence/follow.js";
import { jumpKeys, jumpToCaret } from "../presence/jump.js";
import { type Peer, Peers } from "../presence/peers.js";
import { createPublisher } from "../presence/publisher.js";
import type { Session } from "../session.js";
import type { Someone } from "../ui/people.js";

export interface CompanyOptions {
  /** The file on the screen. */
  readonly file: () => string;
  readonly editor: () => Editor;
  /** The document, once it is here. */
  readonly session: () => Session | undefined;
  /** What people call a file. */
  readonly fileName: (id: string) => string;
  /** Shows a file. */
  readonly go: (file: string) => void;
  readonly labels: () => LabelMode;
  readonly announce: (text: string) => void;
}

export interface Company extends Disposable {
  readonly me: ReadonlySignal<Identity>;
  readonly others: ReadonlySignal<readonly Someone[]>;
  /** Whom the person follows. */
  readonly following: ReadonlySignal<number | undefined>;
  /** Which colours are in which file. */
  readonly colorsIn: ReadonlySignal<ReadonlyMap<string, readonly string[]>>;
  /** Publishes the person's carets and draws the others'. */
  readonly extension: Extension;
  /** The document is here. */
  attached(): void;
  /** Somebody's presence changed or ended. */
  peer(replica: number, state: string | undefined): void;
  /** Others edited a text: call after it is in the editor. */
  textChanged(): void;
  /** The editor shows now what the document had before: carets stand in other places. */
  textCaughtUp(): void;
  /** Another file is on the screen; `isNew` when it was not before. */
  fileShown(isNew: boolean): void;
  /** Takes a new name; returns the one that counts from now on. */
  rename(name: string): string;
  recolor(color: string): void;
  /** Shows the text around somebody's caret. */
  jump(replica: number): void;
  /** Starts or stops following. */
  follow(replica: number | undefined): void;
  /** The page is connected to the room, or not any more. */
  connected(isOpen: boolean): void;
}

export function createCompany(options: CompanyOptions): Company {
  const peers = new Peers();
  const tab = rememberedTab(Date.now());
  const me = signal<Identity>({ name: rememberedName(), color: rememberedColor() });
  const present = signal<readonly Peer[]>([]);
  /** Counts what `feed` finds out, so that what depends on it is computed again. */
  const looks = signal(0);

  const publisher = createPublisher({
    identity: me.peek(),
    tab,
    file: options.file,
    sticky: (file, offsets) => options.session()?.sticky(file, offsets) ?? [],
    publish(state) {
      const session = options.session();
      session?.presence(state);
      return session !== undefined;
    },
    others: () => peers.list().length,
    followed: () => peers.list().some(({ following }) => following === options.session()?.replica),
  });
  const feed = createCaretFeed({
    peers: () => peers.list(),
    resolve: (positions) => options.session()?.resolve(positions) ?? [],
    show: (file, changes) => options.editor().dispatch(file, changeCarets.of(changes)),
    moved() {
      looks.value += 1;
      follow.moved();
    },
  });
  const announcements = announcePeople(options.announce);
  const following = signal<number | undefined>(undefined);
  const follow = createFollow({
    me: () => options.session()?.replica,
    peer: (replica) => peers.get(replica),
    whereabouts: (replica) => feed.whereabouts(replica),
    resolve: (positions) => options.session()?.resolve(positions) ?? [],
    file: options.file,
    open: options.go,
    changed(replica) {
      following.value = replica;
      publisher.setFollowing(replica);
    },
  });
  const activity = watchActivity((idle) => publisher.setIdle(idle));

  function become(next: Identity): void {
    me.value = next;
    publisher.setIdentity(next);
  }

  /** Two people may have one colour: whoever came later takes another. */
  function settle(): void {
    const replica = options.session()?.replica;
    if (replica === undefined) return;
    const color = settleColor({ replica, color: me.peek().color, since: tab.since }, peers.list());
    if (color !== me.peek().color) become({ ...me.peek(), color });
  }

  // Carets move all the time, and what is said of them seldom changes: the bars are drawn again only then.
  let lastOthers: readonly Someone[] = [];
  const others = computed<readonly Someone[]>(() => {
    looks.value;
    const mine = options.session()?.replica;
    const now = present.value.map(({ replica, name, color, idle, following }) => ({
      replica,
      name,
      color,
      idle,
      place: placeOf(replica),
      followsMe: following !== undefined && following === mine,
    }));
    if (!isSame(lastOthers, now)) lastOthers = now;
    return lastOthers;
  });

  let lastColors: ReadonlyMap<string, readonly string[]> = new Map();
  const colorsIn = computed(() => {
    looks.value;
    const now = new Map<string, string[]>();
    for (const { replica, color } of present.value) {
      const file = feed.whereabouts(replica)?.file;
      if (file !== undefined) now.set(file, [...(now.get(file) ?? []), color]);
    }
    if (!isSame([...lastColors], [...now])) lastColors = now;
    return lastColors;
  });

  function placeOf(replica: number): string | undefined {
    const at = feed.whereabouts(replica);
    if (!at) return undefined;
    const name = options.fileName(at.file);
    const editor = options.editor();
    if (at.file !== editor.file || at.offset === undefined) return name;
    const { doc } = editor.view.state;
    return `${name}:${doc.lineAt(Math.min(at.offset, doc.length)).number}`;
  }

  function jump(replica: number): void {
    follow.stop();
    const at = feed.whereabouts(replica);
    if (!at) return;
    options.go(at.file);
    jumpToCaret(options.editor().view, replica);
    options.editor().view.focus();
  }

  function followPerson(replica: number | undefined): void {
    if (replica === undefined) follow.stop();
    else if (follow.start(replica) === "follows you") options.announce(`${peers.get(replica)?.name ?? "They"} is following you.`);
  }

  return {
    me,
    others,
    colorsIn,
    following,
    extension: [
      publisher.extension,
      remoteCarets({ labels: options.labels }),
      caretChips({ jump }),
      follow.extension,
      jumpKeys({ replicas: () => peers.list().map(({ replica }) => replica), jump, follow: followPerson }),
    ],
    attached() {
      // Others told where they are before there was a text to find that in.
      feed.again();
      publisher.refresh();
    },
    peer(replica, state) {
      const { before, after } = peers.update(replica, state);
      present.value = peers.list();
      announcements.seen(replica, after);
      const mine = options.session()?.replica;
      if ((before?.following === mine) !== (after?.following === mine)) publisher.refresh();
      feed.peer(replica);
      follow.peer(replica);
      settle();
    },
    textChanged: () => feed.textChanged(),
    textCaughtUp() {
      feed.textChanged();
      publisher.refresh();
    },
    fileShown(isNew) {
      const editor = options.editor();
      if (isNew) editor.dispatch(editor.file, changeCarets.of(feed.inFile(editor.file)));
      looks.value += 1;
      publisher.refresh();
    },
    rename(name) {
      become({ ...me.peek(), name: cleanName(name) ?? me.peek().name });
      rememberName(me.peek().name);
      return me.peek().name;
    },
    recolor(color) {
      rememberColor(color);
      become({ ...me.peek(), color });
      settle();
    },
    jump,
    follow: followPerson,
    connected: (isOpen) => announcements.connected(isOpen),
    dispose: () => disposeAll([feed, activity, announcements, follow]),
  };
}

/** Whether two small values say the same. */
function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
