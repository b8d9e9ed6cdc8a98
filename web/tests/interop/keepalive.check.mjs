/**
 * Idle clients stay connected. y-websocket hangs up after 30 s in which it received nothing, and
 * cannot see WebSocket pings; 70 s is more than twice that.
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as pass } from 'node:timers/promises'
import { Client, STABLE, destroyClients } from './clients.mjs'
import { Raw, destroyRaws } from './raw.mjs'
import { Server } from './server.mjs'
import { until } from './waiting.mjs'

const IDLE_MS = 70_000

/** @type {Server} */
let server
before(async () => { server = await Server.start() })
after(async () => {
  destroyClients()
  destroyRaws()
  await server.destroy()
})

test('idle for 70 s, nobody reconnects and nobody is forgotten', { timeout: 120_000 }, async () => {
  const present = STABLE.map((version) => new Client(server, 'idle', { version }))
  for (const client of present) client.awareness.setLocalStateField('user', { name: client.version })
  // Alone and without presence: nothing but the server's own keepalive reaches these.
  const alone = STABLE.map((version) => {
    const client = new Client(server, `alone ${version}`, { version })
    client.awareness.setLocalState(null)
    return client
  })
  const raw = await new Raw(server, 'alone raw').opened()
  const all = [...present, ...alone]
  await Promise.all(all.map((client) => client.synced()))
  const everybodySeen = () => present.every((one) => present.every((other) => one.presence(other)?.user?.name === other.version))
  await until(everybodySeen, 'everybody is seen')

  await pass(IDLE_MS)

  for (const client of all) {
    assert.equal(client.sockets, 1, `y-websocket ${client.version} reconnected`)
    assert.ok(client.provider.wsconnected && client.provider.synced, `y-websocket ${client.version} is connected`)
  }
  assert.equal(raw.closed, null)
  assert.ok(everybodySeen(), 'everybody is still seen')
  present[0].text.insert(0, 'awake')
  await until(() => present.every(({ text }) => text.toString() === 'awake'), 'an edit still reaches everybody')
})
