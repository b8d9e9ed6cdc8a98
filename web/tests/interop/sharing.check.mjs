/**
 * Published y-websocket clients of every major edit one room: they converge, live and after time
 * offline, in rooms of any name.
 */
import assert from 'node:assert/strict'
import { after, afterEach, before, test } from 'node:test'
import * as Y from 'yjs'
import { ALL, Client, STABLE, converged, destroyClients } from './clients.mjs'
import { roots } from './content.mjs'
import { Peer } from './history.mjs'
import { Random } from './random.mjs'
import { Server } from './server.mjs'
import { until } from './waiting.mjs'

/** @type {Server} */
let server
before(async () => { server = await Server.start() })
afterEach(destroyClients)
after(() => server.destroy())

function seat (room, version) {
  return new Client(server, room, { version }).synced()
}

test('texts and maps of all published versions converge', async () => {
  const clients = await Promise.all(ALL.map((version) => seat('all versions', version)))
  for (const [i, { doc, text, version }] of clients.entries()) {
    text.insert(0, `${version} 😀\n`)
    doc.getMap('meta').set(`from ${version}`, { at: i, bytes: Uint8Array.of(i) })
    doc.getMap('meta').set('contested', version)
  }
  await converged(clients)
  const [{ doc, text }] = clients
  for (const version of ALL) {
    assert.ok(text.toString().includes(`${version} 😀\n`), `the text has what ${version} wrote`)
    assert.ok(doc.getMap('meta').has(`from ${version}`), `the map has what ${version} wrote`)
  }
  for (const client of clients) client.text.delete(0, 3)
  await converged(clients)
  assert.equal(await server.text('all versions'), text.toString())
})

test('everything yjs can hold passes between clients', async () => {
  const random = new Random(7)
  const peers = STABLE.map((version, index) => {
    const peer = new Peer(random, index, () => {})
    return { peer, client: new Client(server, 'rich', { version, doc: peer.doc }) }
  })
  await Promise.all(peers.map(({ client }) => client.synced()))
  for (let i = 0; i < 400; i++) {
    random.pick(peers).peer.act()
    // Now and then the network gets a chance, so that some edits are concurrent and some are not.
    if (i % 7 === 0) await new Promise(setImmediate)
  }
  await converged(peers.map(({ client }) => client))
  const late = await seat('rich', '3.1.0')
  await converged([...peers.map(({ client }) => client), late])
  for (const { client } of peers) assert.equal(client.sockets, 1)
  assert.notEqual(Object.values(roots(late.doc)).map(String).join(''), '')
})

for (const version of STABLE) {
  test(`1,000 edits made offline merge with what others did meanwhile (${version})`, async () => {
    const room = `offline ${version}`
    const [away, here] = await Promise.all([seat(room, version), seat(room, '3.1.0')])
    here.text.insert(0, 'shared')
    await converged([away, here])
    away.provider.disconnect()
    await until(() => !away.provider.wsconnected, 'disconnected')
    for (let i = 0; i < 1_000; i++) {
      if (i % 10 === 9) away.text.delete(0, 2)
      else away.text.insert(i % 3 === 0 ? away.text.length : 0, `${i} `)
      if (i % 100 === 0) away.doc.getMap('meta').set(`edit ${i}`, i)
    }
    for (let i = 0; i < 200; i++) here.text.insert(here.text.length, `here ${i} `)
    away.provider.connect()
    await until(() => away.provider.synced, 'synced again')
    await converged([away, here])
    assert.ok(here.text.toString().includes('996 '), 'the last offline edits arrived')
    assert.ok(away.text.toString().includes('here 199 '), 'so did what others did meanwhile')
    assert.equal(here.doc.getMap('meta').size, 10)
    assert.equal(await server.text(room), here.text.toString())
  })
}

test('a room’s name may hold spaces, slashes and any script', async () => {
  const names = ['my room', 'team/notes/today', 'größe', '部屋/😀 1', 'a+b&c=d', 'dots..and~tildes', 'é'.repeat(128)]
  for (const name of names) {
    const [one, two] = await Promise.all([seat(name, '3.1.0'), seat(name, '1.5.4')])
    one.text.insert(0, name)
    await converged([one, two])
    assert.equal(two.text.toString(), name, 'nothing from another room')
    assert.equal(await server.text(name), name, 'HTTP names the same room')
    destroyClients()
  }
})

test('what a room is asked for again and again it answers every time', async () => {
  const client = new Client(server, 'resync', { options: { resyncInterval: 50 } })
  await client.synced()
  let answers = 0
  client.provider.ws.addEventListener('message', ({ data }) => {
    const [type, kind] = new Uint8Array(data)
    if (type === 0 && kind === 1) answers++
  })
  await until(() => answers >= 10, 'ten answers')
  assert.equal(client.sockets, 1)
})

test('a returning client is asked for what the server lacks', async () => {
  // Its edits were made before it ever connected: only the server's own question brings them up.
  const doc = new Y.Doc()
  doc.getText('file:main').insert(0, 'written before the first connection')
  const writer = await new Client(server, 'asked', { doc }).synced()
  const reader = await seat('asked', '2.1.0')
  await converged([writer, reader])
  assert.equal(reader.text.toString(), 'written before the first connection')
})

test('subprotocols and URL parameters meant for other servers do no harm', async () => {
  const options = { protocols: ['y', 'token.1'], params: { token: 'a b/?', room: 'elsewhere' } }
  const clients = await Promise.all(['3.1.0', '3.0.0', '3.1.0-rc.5'].map((version) =>
    new Client(server, 'parameters', { version, options }).synced()))
  clients[0].text.insert(0, 'here')
  await converged([...clients, await seat('parameters', '1.5.4')])
  for (const { sockets, provider } of clients) {
    assert.equal(sockets, 1)
    assert.equal(provider.ws.protocol, 'y', 'the first one offered is selected')
  }
})
