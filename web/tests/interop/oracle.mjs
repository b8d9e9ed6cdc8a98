/**
 * Published yjs as a judge, for `crates/collab-core/tests/differential.rs`: reads one JSON request
 * per line, writes one JSON answer per line, bytes in hex. Must not know how our document works.
 *
 * Requests: `script` (a whole history as offers in turns), `check` (what our document made of
 * it), `read` (what a fresh reader sees of states that hold forged updates), and for histories in
 * which our replicas write too: `open`, `act`, `receive`, `handshake`, `compare`.
 */
import { createInterface } from 'node:readline'
import * as Y from 'yjs'
import { difference, stateVector } from './content.mjs'
import { Peer } from './history.mjs'
import { Network } from './network.mjs'
import { Random } from './random.mjs'

const hex = (bytes) => Buffer.from(bytes).toString('hex')
const unhex = (text) => new Uint8Array(Buffer.from(text, 'hex'))

/** A fresh reader that has taken `updates` in order. */
function reader (updates) {
  const doc = new Y.Doc()
  for (const update of updates) Y.applyUpdate(doc, unhex(update))
  return doc
}

function texts (doc) {
  return { main: doc.getText('file:main').toString(), notes: doc.getText('file:notes').toString() }
}

/** The main text; what is in it and is no text counts as one object, as our server shows it. */
function shown (doc) {
  return doc.getText('file:main').toDelta()
    .map(({ insert }) => typeof insert === 'string' ? insert : '\uFFFC').join('')
}

/** @type {Network | null} */
let network = null
/** @type {{ peer: Peer, updates: Uint8Array[] }[]} */
let seats = []

function takeUpdates (seat) {
  return seat.updates.splice(0).map(hex)
}

const answers = {
  script ({ seed }) {
    network?.destroy()
    network = new Network(seed)
    network.run()
    return {
      turns: network.turns.map(({ updates, sv }) => ({ updates: updates.map(hex), sv })),
      probes: network.probes.map(({ sv }) => hex(sv)),
      whole: hex(Y.encodeStateAsUpdate(network.random.pick(network.seats).peer.doc)),
      texts: texts(network.mirror)
    }
  },

  /** `deltas`: one per turn; `states`: each complete by itself; `diffs`: one per probe. */
  check ({ deltas, states, diffs }) {
    const readers = [
      ['turn deltas', reader(deltas)],
      ...states.map((state, i) => [`state ${i}`, reader([state])]),
      ...diffs.map((diff, i) => [`diff ${i}`, reader([hex(network.probes[i].state), diff])])
    ]
    for (const [what, doc] of readers) {
      const why = difference(network.mirror, doc)
      if (why) return { why: `${what}: ${why}` }
      doc.destroy()
    }
    return { why: null }
  },

  /**
   * Documents that took a forged update. Whoever follows (`known`, then `delta`) and whoever comes
   * anew (`state`) must see the same, wait for nothing, and read the text that the server reads.
   */
  read ({ documents }) {
    for (const [i, { known, delta, state, main, sv }] of documents.entries()) {
      const follower = reader([...known, delta])
      const fresh = reader([state])
      const waits = fresh.store.pendingStructs ?? fresh.store.pendingDs
      const why = difference(follower, fresh) ??
        (waits ? 'a fresh reader waits for more' : null) ??
        (shown(fresh) === main ? null : `the text is ${JSON.stringify(shown(fresh))}, not ${JSON.stringify(main)}`) ??
        (JSON.stringify(stateVector(fresh)) === JSON.stringify(sv) ? null : 'state vectors differ')
      follower.destroy()
      fresh.destroy()
      if (why) return { why: `document ${i}: ${why}` }
    }
    return { why: null }
  },

  open ({ seed, peers }) {
    for (const seat of seats) seat.peer.destroy()
    const random = new Random(seed)
    seats = Array.from({ length: peers }, (_, index) => {
      const seat = { updates: [], peer: null }
      seat.peer = new Peer(random, index, (update) => seat.updates.push(update))
      return seat
    })
    return {}
  },

  /** One thing a person does; `updates` is what their provider would send. */
  act ({ peer }) {
    seats[peer].peer.act()
    return { updates: takeUpdates(seats[peer]) }
  },

  receive ({ peer, updates }) {
    for (const update of updates) seats[peer].peer.receive(unhex(update))
    return { updates: takeUpdates(seats[peer]) }
  },

  /** The replica's half of a handshake with somebody whose state vector is `sv`. */
  handshake ({ peer, sv }) {
    const { doc } = seats[peer].peer
    return { sv: hex(Y.encodeStateVector(doc)), diff: hex(Y.encodeStateAsUpdate(doc, unhex(sv))) }
  },

  /** Whether every peer and every one of `states` shows the same. */
  compare ({ states }) {
    const [first, ...others] = [...seats.map(({ peer }) => peer.doc), ...states.map((state) => reader([state]))]
    for (const [i, doc] of others.entries()) {
      const why = difference(first, doc)
      if (why) return { why: `replica ${i + 1}: ${why}` }
    }
    return { why: null, sv: stateVector(first), texts: texts(first) }
  }
}

for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
  const request = JSON.parse(line)
  let answer
  try {
    answer = answers[request.op](request)
  } catch (error) {
    answer = { error: String(error?.stack ?? error) }
  }
  process.stdout.write(JSON.stringify(answer) + '\n')
}
