/**
 * Two people's recorded typing, keystroke by keystroke, through two published clients and the
 * server: both, and a third who comes later, end with the recorded text.
 *
 * What a client sends is held back until the other author's next edit rests on it, so that the
 * server sees the very concurrency of the recording.
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import WebSocket from 'ws'
import * as Y from 'yjs'
import { Client, converged, destroyClients } from './clients.mjs'
import { Server } from './server.mjs'
import { dependencies, invented, perform, recorded } from './trace.mjs'
import { untilUpdate } from './waiting.mjs'

/** @type {Server} */
let server
before(async () => { server = await Server.start() })
after(async () => {
  destroyClients()
  await server.destroy()
})

/** One of the two: a client whose updates leave only when told. */
class Author {
  constructor (room, id) {
    const held = this.held = []
    class Slow extends WebSocket {
      send (data) {
        const bytes = new Uint8Array(data)
        const isUpdate = bytes[0] === 0 && bytes[1] === 2
        if (isUpdate) held.push(() => super.send(data))
        else super.send(data)
      }
    }
    this.client = new Client(server, room, { id, Socket: Slow })
    this.released = 0
    /** Own updates, one per transaction. @type {Uint8Array[]} */
    this.updates = []
    this.client.doc.on('update', (update, origin) => { if (origin !== this.client.provider) this.updates.push(update) })
  }

  release (upTo) {
    for (; this.released < upTo; this.released++) this.held[this.released]()
  }

  /** Resolves when `reader` has everything released: the last update stands for all, as order is kept. */
  async reaches (reader) {
    const { structs, ds } = Y.decodeUpdate(this.updates[this.released - 1])
    const { store } = reader
    const has = () =>
      structs.every(({ id, length }) => Y.getState(store, id.client) >= id.clock + length) &&
      [...ds.clients].every(([client, ranges]) => ranges.every(({ clock }) =>
        Y.getState(store, client) > clock && Y.getItem(store, Y.createID(client, clock)).deleted))
    await untilUpdate(reader, has, `update ${this.released} of author ${this.client.doc.clientID} at the other`)
  }
}

async function replay (room, trace) {
  const needs = dependencies(trace)
  const authors = [new Author(room, 1), new Author(room, 2)]
  await Promise.all(authors.map(({ client }) => client.synced()))
  for (const [index, txn] of trace.txns.entries()) {
    const [author, other] = [authors[txn.agent], authors[1 - txn.agent]]
    if (other.released < needs[index]) {
      other.release(needs[index])
      await other.reaches(author.client.doc)
    }
    perform(author.client.doc, txn)
  }
  for (const author of authors) author.release(author.held.length)

  const late = await new Client(server, room).synced()
  const clients = [...authors.map(({ client }) => client), late]
  await converged(clients)
  for (const { text } of clients) assert.equal(text.toString(), trace.endContent)
  assert.equal(await server.text(room), trace.endContent)
  for (const client of clients) assert.equal(client.sockets, 1, 'nobody was thrown out on the way')
}

test('two authors’ typing ends in the recorded text', { timeout: 120_000 }, async (t) => {
  const trace = recorded()
  if (!trace) t.diagnostic('shared/traces/friendsforever.json.gz is not beside this checkout: a made-up trace of the same size takes its place')
  await replay('two authors', trace ?? invented(1))
})

test('a made-up trace of two authors ends in its text', { timeout: 120_000 }, async () => {
  // Short: it shows that the stand-in works wherever the recorded one is used.
  await replay('made up', invented(2, 3_000))
})
