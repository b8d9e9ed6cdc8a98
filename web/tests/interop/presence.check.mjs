/**
 * Who is here, as published y-websocket clients see it: presence appears, changes, and disappears,
 * whether its owner says goodbye or not.
 */
import assert from 'node:assert/strict'
import { after, afterEach, before, test } from 'node:test'
import { ALL, Client, destroyClients } from './clients.mjs'
import { Raw, destroyRaws, frames } from './raw.mjs'
import { Server } from './server.mjs'
import { until } from './waiting.mjs'

/** Clients renew their entry by themselves every 15 s: what comes sooner is the server's doing. */
const SOON_MS = 5_000

/** @type {Server} */
let server
before(async () => { server = await Server.start() })
afterEach(() => {
  destroyClients()
  destroyRaws()
})
after(() => server.destroy())

/** Two clients who know each other by name. */
async function acquainted (room, version) {
  const [one, two] = [new Client(server, room, { version }), new Client(server, room)]
  one.awareness.setLocalStateField('user', { name: 'Ada', caret: 1 })
  two.awareness.setLocalStateField('user', { name: 'Bob ü😀' })
  await Promise.all([one.synced(), two.synced()])
  await until(() => two.presence(one)?.user?.name === 'Ada', 'Ada is seen')
  await until(() => one.presence(two)?.user?.name === 'Bob ü😀', 'Bob is seen')
  return [one, two]
}

for (const version of ALL) {
  test(`presence comes, changes and goes with a goodbye (${version})`, async () => {
    const [one, two] = await acquainted(`goodbye ${version}`, version)
    one.awareness.setLocalStateField('user', { name: 'Ada', caret: 2 })
    await until(() => two.presence(one)?.user?.caret === 2, 'the caret moves')
    const id = one.doc.clientID
    one.provider.disconnect()
    await until(() => !two.awareness.getStates().has(id), 'Ada is gone')
    one.provider.connect()
    one.awareness.setLocalStateField('user', { name: 'Ada again' })
    await until(() => two.presence(one)?.user?.name === 'Ada again', 'Ada is back', SOON_MS)
    one.destroy()
    await until(() => !two.awareness.getStates().has(id), 'Ada is gone for good')
  })

  test(`presence goes when the cable is pulled (${version})`, async () => {
    const [one, two] = await acquainted(`cable ${version}`, version)
    one.vanish()
    await until(() => two.presence(one) === undefined, 'Ada is gone')
    two.vanish()
    await until(() => !one.provider.wsconnected, 'Ada’s client noticed')
    assert.equal(one.presence(two), undefined)
  })
}

test('a newcomer sees everybody who is already here', async () => {
  const [one, two] = await acquainted('newcomer', '3.1.0')
  const late = await new Client(server, 'newcomer').synced()
  await until(() => late.presence(one)?.user?.name === 'Ada' && late.presence(two)?.user?.name === 'Bob ü😀', 'both are seen')
})

test('a question about everybody is answered', async () => {
  const [one] = await acquainted('question', '3.1.0')
  const raw = await new Raw(server, 'question').opened()
  const told = (message) => Buffer.from(message.bytes).includes('Ada')
  await raw.hears('awareness', told)
  raw.heard = []
  raw.send(frames.queryAwareness())
  await raw.hears('awareness', told, SOON_MS)
  assert.equal(one.sockets, 1)
})

test('a client that returns over a new socket is still seen', async () => {
  const [one, two] = await acquainted('returns', '3.1.0')
  let gone = 0
  two.awareness.on('change', ({ removed }) => { gone += removed.filter((id) => id === one.doc.clientID).length })
  one.provider.ws.terminate()
  await until(() => one.sockets === 2 && one.provider.synced, 'reconnected')
  one.awareness.setLocalStateField('user', { name: 'Ada', caret: 9 })
  await until(() => two.presence(one)?.user?.caret === 9, 'seen at the new place', SOON_MS)
  assert.ok(gone <= 1, 'gone at most once on the way')
})
