/**
 * What two people typed at the same time: read from a recorded trace, or made up where there is
 * none. Must not know who replays it.
 *
 * Form: `{endContent, txns: [{parents: [index…], agent, patches: [[offset, deleted, inserted]…]}]}`;
 * offsets are those of the author's own replica at `parents`.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import * as Y from 'yjs'
import { Random } from './random.mjs'

/** As many edits as the recorded trace has. */
const EDITS = 26_078

/** `$COLLAB_TRACES`, else `shared/traces` beside the checkout; null when there is none. */
export function recorded () {
  const folder = process.env.COLLAB_TRACES ?? fileURLToPath(new URL('../../../../shared/traces', import.meta.url))
  const path = join(folder, 'friendsforever.json.gz')
  if (!existsSync(path)) {
    if (process.env.COLLAB_TRACES) throw new Error(`COLLAB_TRACES is set, and there is no ${path}`)
    return null
  }
  return JSON.parse(gunzipSync(readFileSync(path)).toString())
}

/**
 * For every transaction: how many of the other author's transactions its author had seen. Throws
 * unless there are two authors who each build on all of their own.
 */
export function dependencies ({ txns }) {
  const seen = []
  const done = [0, 0]
  return txns.map(({ parents, agent }, index) => {
    const own = [0, 0]
    for (const parent of parents) for (const who of [0, 1]) own[who] = Math.max(own[who], seen[parent][who])
    if (own[agent] !== done[agent]) throw new Error(`transaction ${index} does not build on all of its author's`)
    seen[index] = own.slice()
    seen[index][agent] = ++done[agent]
    return own[1 - agent]
  })
}

/** One author's edit of their own text. */
export function perform (doc, { patches }) {
  const text = doc.getText('file:main')
  doc.transact(() => {
    for (const [offset, deleted, inserted] of patches) {
      if (deleted > 0) text.delete(offset, deleted)
      if (inserted !== '') text.insert(offset, inserted)
    }
  })
}

/** Bursts of typing, cursor jumps, corrections, pastes; the two hear of each other now and then. */
export function invented (seed, edits = EDITS) {
  const random = new Random(seed)
  const authors = [0, 1].map((agent) => {
    const doc = new Y.Doc()
    doc.clientID = agent + 1
    const author = { doc, cursor: 0, heard: 0, sent: [], last: -1, lastHeard: -1 }
    doc.on('update', (update, origin) => { if (origin !== 'network') author.sent.push(update) })
    return author
  })
  const txns = []
  const indices = [[], []]
  const hear = (agent, upTo) => {
    const author = authors[agent]
    const other = authors[1 - agent]
    for (; author.heard < upTo; author.heard++) Y.applyUpdate(author.doc, other.sent[author.heard], 'network')
    author.lastHeard = indices[1 - agent][upTo - 1] ?? -1
  }
  while (txns.length < edits) {
    const agent = random.int(0, 1)
    const author = authors[agent]
    if (random.oneIn(2)) hear(agent, random.int(author.heard, indices[1 - agent].length))
    const length = () => author.doc.getText('file:main').length
    if (random.oneIn(3)) author.cursor = random.int(0, length())
    for (let burst = random.int(1, 40); burst > 0 && txns.length < edits; burst--) {
      author.cursor = Math.min(author.cursor, length())
      const back = random.oneIn(8) ? Math.min(author.cursor, random.oneIn(20) ? random.int(1, 60) : 1) : 0
      const insert = back > 0 ? '' : random.oneIn(150) ? 'pasted words and lines\n'.repeat(random.int(1, 3)) : random.pick([...'etaoin shrdlu\n(){};'])
      if (back === 0 && insert === '') continue
      const txn = {
        agent,
        parents: [author.last, author.lastHeard].filter((index) => index >= 0),
        patches: [[author.cursor - back, back, insert]]
      }
      perform(author.doc, txn)
      author.cursor += insert.length - back
      author.last = txns.length
      indices[agent].push(txns.length)
      txns.push(txn)
    }
  }
  for (const agent of [0, 1]) hear(agent, indices[1 - agent].length)
  const [one, two] = authors.map(({ doc }) => doc.getText('file:main').toString())
  if (one !== two) throw new Error('the invented authors do not agree')
  return { endContent: one, txns }
}
