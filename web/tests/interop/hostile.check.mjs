/**
 * What is not the protocol closes the connection it came from, with 4400 and a reason, and nobody
 * else notices.
 */
import assert from 'node:assert/strict'
import { after, afterEach, before, test } from 'node:test'
import * as Y from 'yjs'
import { ALL, Client, STABLE, converged, destroyClients } from './clients.mjs'
import { Raw, destroyRaws, frames } from './raw.mjs'
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

function genuine (text) {
  const doc = new Y.Doc()
  doc.getText('file:main').insert(0, text)
  return doc
}

const GARBAGE = {
  'a frame cut short': [0x00, 0x02, 0x0b, 0x01],
  'an unknown sync message': [0x00, 0x07, 0x01, 0x00],
  'a length beyond 2^53': [0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
  'an update that is noise': frames.update(Uint8Array.of(0xde, 0xad, 0xbe, 0xef)),
  'an update that claims 2^28 clients': frames.update(Uint8Array.of(0xc6, 0xfc, 0xd9, 0x60)),
  'an update with bytes behind its end': frames.update(Uint8Array.of(0, 0, 0)),
  'an update in encoding v2': frames.update(Y.encodeStateAsUpdateV2(genuine('two'))),
  'a state vector that is noise': frames.step1(Uint8Array.of(0xff, 0xff, 0xff)),
  'an awareness message that is noise': frames.awareness(Uint8Array.of(0x05, 0x01)),
  'one genuine message and one broken': Uint8Array.from([...frames.update(Y.encodeStateAsUpdate(genuine('half'))), 0x00, 0x02, 0x7f])
}

for (const [what, bytes] of Object.entries(GARBAGE)) {
  test(`${what} closes only its sender`, async () => {
    const clients = await Promise.all(STABLE.map((version) => new Client(server, `hostile ${what}`, { version }).synced()))
    clients[0].text.insert(0, 'honest')
    await converged(clients)

    const attacker = await new Raw(server, `hostile ${what}`, []).opened()
    attacker.send(Uint8Array.from(bytes))
    const { code, reason } = await attacker.isClosed()
    assert.equal(code, 4400)
    assert.notEqual(reason, '', 'the close says why')
    assert.deepEqual(attacker.all('auth').map(({ code }) => code), [0], 'a final close is announced once, as Denied')

    clients[1].text.insert(clients[1].text.length, ' work')
    await converged(clients)
    for (const client of clients) {
      assert.equal(client.sockets, 1, `${client.version} was not disturbed`)
      assert.equal(client.text.toString(), 'honest work', 'nothing of the refused frame arrived')
    }
  })
}

test('a published client that is refused for good stops, and older ones slow down', async () => {
  for (const version of ALL) {
    const client = await new Client(server, `refused ${version}`, { version }).synced()
    let closed = null
    client.provider.on('closed', (event) => { closed = event })
    client.sendRaw([0x00, 0x02, 0x02, 0xff, 0xff])
    await until(() => !client.provider.wsconnected, 'the connection is closed')
    if (version === '3.1.0') {
      await until(() => closed, 'the provider says that it stopped')
      assert.equal(closed.code, 4400)
      assert.equal(client.provider.shouldConnect, false)
    } else {
      await until(() => client.provider.synced && client.sockets === 2, 'older clients come back, and are served')
    }
  }
})

test('text messages are not the protocol', async () => {
  const raw = await new Raw(server, 'text message', []).opened()
  raw.socket.send('hello')
  assert.equal((await raw.isClosed()).code, 4400)
})

test('a plain client never hears a message that y-websocket does not know', async () => {
  const raw = await new Raw(server, 'plain', []).opened()
  const doc = genuine('plain')
  raw.send(frames.step1(Y.encodeStateVector(doc)), frames.step2(Y.encodeStateAsUpdate(doc)))
  await raw.hears('step2')
  await raw.hears('step1')
  doc.getText('file:main').insert(0, 'more ')
  raw.send(frames.update(Y.encodeStateAsUpdate(doc)))
  await until(async () => (await server.text('plain')) === 'more plain', 'the edit is there')
  const kinds = new Set(raw.heard.map(({ kind }) => kind))
  for (const kind of ['welcome', 'saved', 'rejected', 'status', 'closing']) assert.ok(!kinds.has(kind), `heard ${kind}`)
})
