/**
 * Our own dialect `collab.v1` spoken by hand, and the published client that shows whether its
 * edits are confirmed: "saved" means committed to the database.
 */
import assert from 'node:assert/strict'
import { after, afterEach, before, test } from 'node:test'
import * as Y from 'yjs'
import { Client, converged, destroyClients } from './clients.mjs'
import { Raw, SUBPROTOCOL, destroyRaws, frames } from './raw.mjs'
import { Server } from './server.mjs'
import { until } from './waiting.mjs'

/** @type {Server} */
let server
before(async () => { server = await Server.start() })
afterEach(() => {
  destroyClients()
  destroyRaws()
})
after(() => server.destroy())

/** A document and every update it makes. */
function author () {
  const doc = new Y.Doc()
  const updates = []
  doc.on('update', (update) => updates.push(update))
  return { doc, text: doc.getText('file:main'), updates }
}

/** The newest cumulative acknowledgement. */
const saved = (raw) => raw.all('saved').at(-1)?.frames ?? 0

test('welcome is the first frame, and the server asks for what it lacks', async () => {
  const raw = await new Raw(server, 'welcome').opened()
  await raw.hears('step1')
  assert.equal(raw.socket.protocol, SUBPROTOCOL)
  const [first] = raw.heard
  assert.equal(first.kind, 'welcome')
  assert.equal(first.version, 1)
  assert.match(first.lineage, /^[0-9a-f]{32}$/)
  assert.notEqual(first.lineage, '0'.repeat(32))
  assert.equal(first.maxFrameBytes, 16 << 20)

  const again = await new Raw(server, 'welcome').opened()
  const second = await again.hears('welcome')
  assert.equal(second.lineage, first.lineage, 'the same document')
  assert.notEqual(second.connection, first.connection, 'another connection')
  const other = await new Raw(server, 'welcome elsewhere').opened()
  assert.notEqual((await other.hears('welcome')).lineage, first.lineage, 'another document')
})

test('saved counts this connection’s frames, deletions and repeats too, and never more', async () => {
  const raw = await new Raw(server, 'saved').opened()
  await raw.hears('step1')
  const { doc, text, updates } = author()
  raw.send(frames.step2(Y.encodeStateAsUpdate(doc)))
  await until(() => saved(raw) === 1, 'an empty answer is frame 1')
  for (let i = 0; i < 30; i++) text.insert(0, `${i} `)
  for (let i = 0; i < 10; i++) text.delete(0, 2)
  raw.send(...updates.map(frames.update))
  await until(() => saved(raw) === 41, () => `41 frames are saved, not ${saved(raw)}`)
  raw.send(frames.update(updates[0]))
  await until(() => saved(raw) === 42, 'a repeat is saved too')

  const counts = raw.all('saved')
  assert.deepEqual(counts, counts.toSorted((a, b) => a.frames - b.frames || a.seq - b.seq), 'both numbers only grow')
  const reader = await new Client(server, 'saved').synced()
  assert.equal(reader.text.toString(), text.toString())
})

test('several messages in one frame are all obeyed, each counted', async () => {
  const raw = await new Raw(server, 'several').opened()
  await raw.hears('step1')
  const { doc, text, updates } = author()
  for (let i = 0; i < 5; i++) text.insert(0, `${i}`)
  raw.send(Buffer.concat([frames.step1(Y.encodeStateVector(new Y.Doc())), ...updates.map(frames.update)]))
  await until(() => saved(raw) === 5, 'five are saved')
  await raw.hears('step2')
  const reader = await new Client(server, 'several').synced()
  await until(() => reader.text.toString() === doc.getText('file:main').toString(), 'all five arrived')
})

test('what is saved survives kill -9, and green means saved', { timeout: 60_000 }, async () => {
  const own = await Server.start()
  try {
    const raw = await new Raw(own, 'durable').opened()
    await raw.hears('step1')
    const { text, updates } = author()
    for (let i = 0; i < 50; i++) text.insert(text.length, `${i} `)
    raw.send(...updates.map(frames.update))
    await until(() => saved(raw) >= 1, 'something is saved')
    const promised = saved(raw)
    raw.destroy()
    await own.kill()
    await own.start()
    const shown = new Y.Doc()
    for (const update of updates.slice(0, promised)) Y.applyUpdate(shown, update)
    const reader = await new Client(own, 'durable').synced()
    assert.ok(reader.text.toString().startsWith(shown.getText('file:main').toString()), `the ${promised} saved edits are there`)
    reader.destroy()

    const client = await new Client(own, 'green', { version: '3.1.0-rc.5' }).synced()
    const { provider } = client
    await until(() => provider.syncStatus.status === 'green', 'green before the first edit')
    for (let round = 1; round <= 5; round++) {
      const line = `line ${round}\n`
      client.text.insert(client.text.length, line)
      if (round % 2 === 0) client.text.delete(0, 1)
      assert.equal(provider.syncStatus.localUpdatesSynced, false, 'the edit is on its way')
      // Within the millisecond of the edit the client itself calls its status green.
      await until(() => provider.syncStatus.localUpdatesSynced && provider.syncStatus.status === 'green', () => `green again: ${JSON.stringify(provider.syncStatus)}`)
      // The client stays away, so only the database can know the line.
      const promise = client.text.toString()
      provider.disconnect()
      await own.kill()
      await own.start()
      assert.equal(await own.text('green'), promise)
      provider.connect()
      await client.synced()
    }
  } finally {
    destroyClients()
    await own.destroy()
  }
})

test('what is refused is said, with its number, before the close', async () => {
  const raw = await new Raw(server, 'rejected').opened()
  await raw.hears('step1')
  const { text, updates } = author()
  text.insert(0, 'kept')
  raw.send(frames.update(updates[0]), frames.update(Uint8Array.of(0xde, 0xad, 0xbe, 0xef)))
  const rejected = await raw.hears('rejected')
  assert.deepEqual({ frame: rejected.frame, code: rejected.code }, { frame: 2, code: 1 })
  assert.notEqual(rejected.reason, '')
  const closing = await raw.hears('closing')
  assert.equal(closing.code, 4400)
  assert.equal((await raw.isClosed()).code, 4400)
  assert.ok(raw.heard.indexOf(rejected) < raw.heard.indexOf(closing))
  assert.equal(await server.text('rejected'), 'kept')
})

test('an edit that rests on something unknown is asked for, not stored', async () => {
  const raw = await new Raw(server, 'gap').opened()
  await raw.hears('step1')
  const { doc, text, updates } = author()
  text.insert(0, 'one ')
  text.insert(4, 'two')
  raw.heard = raw.heard.filter(({ kind }) => kind === 'welcome')
  raw.send(frames.update(updates[1]))
  const rejected = await raw.hears('rejected')
  assert.deepEqual({ frame: rejected.frame, code: rejected.code }, { frame: 1, code: 5 })
  const asked = await raw.hears('step1')
  raw.send(frames.step2(Y.encodeStateAsUpdate(doc, asked.bytes)))
  await until(() => saved(raw) === 2, 'the answer is saved')
  assert.equal(raw.closed, null)
  assert.equal(await server.text('gap'), 'one two')
})

test('our dialect and published clients edit one room', async () => {
  const client = await new Client(server, 'mixed', { version: '2.1.0' }).synced()
  const raw = await new Raw(server, 'mixed').opened()
  await raw.hears('step1')
  const { doc, text, updates } = author()
  text.insert(0, 'by hand ')
  raw.send(frames.update(updates[0]))
  await until(() => client.text.toString() === 'by hand ', 'it reaches the client')
  client.text.insert(8, 'and by y-websocket')
  await raw.hears('update')
  for (const { bytes } of raw.all('update')) Y.applyUpdate(doc, bytes)
  await converged([client, { doc }])
})

test('a stop is announced: status, closing, close 1012, exit 0', { timeout: 60_000 }, async () => {
  const own = await Server.start()
  try {
    const raw = await new Raw(own, 'stop').opened()
    await raw.hears('step1')
    const plain = await new Raw(own, 'stop', []).opened()
    await plain.hears('step1')
    const { text, updates } = author()
    text.insert(0, 'just before the stop')
    raw.send(frames.update(updates[0]))
    await plain.hears('update')
    await own.stop()
    const status = await raw.hears('status', ({ status }) => status === 'draining')
    assert.ok(status.withinMs <= 25_000)
    assert.equal(saved(raw), 1, 'everything is saved before the close')
    assert.equal((await raw.hears('closing')).code, 1012)
    assert.equal((await raw.isClosed()).code, 1012)
    assert.equal((await plain.isClosed()).code, 1012)
    await own.start()
    assert.equal(await own.text('stop'), 'just before the stop')
  } finally {
    destroyRaws()
    await own.destroy()
  }
})
