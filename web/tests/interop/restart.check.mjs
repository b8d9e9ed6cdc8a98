/**
 * The server ends, politely or not, and starts again: published clients come back by themselves,
 * and nothing they wrote is missing.
 */
import assert from 'node:assert/strict'
import { afterEach, test } from 'node:test'
import { Client, STABLE, converged, destroyClients } from './clients.mjs'
import { Server } from './server.mjs'
import { until } from './waiting.mjs'

afterEach(destroyClients)

for (const how of /** @type {const} */ (['stop', 'kill'])) {
  test(`clients type through a ${how === 'stop' ? 'SIGTERM' : 'kill -9'} and converge after it`, { timeout: 120_000 }, async () => {
    const server = await Server.start()
    try {
      const clients = await Promise.all(STABLE.map((version) => new Client(server, 'restart', { version }).synced()))
      for (let round = 0; round < 3; round++) {
        const typing = setInterval(() => {
          for (const client of clients) client.text.insert(client.text.length, `${client.version} `)
        }, 5)
        try {
          await until(() => clients.every(({ text }) => text.length > (round + 1) * 600), 'everybody types')
          await server[how]()
          // Everybody goes on while there is no server.
          const before = clients[0].text.length
          await until(() => clients[0].text.length > before + 200, 'everybody types on')
          await server.start()
          await until(() => clients.every(({ provider }) => provider.synced), 'everybody is back')
        } finally {
          clearInterval(typing)
        }
        await converged(clients)
        const typed = new Map(STABLE.map((version) => [version, clients[0].text.toString().split(version).length]))
        for (const [version, times] of typed) assert.ok(times > 1, `${version} is in the text`)
      }
      const text = clients[0].text.toString()
      destroyClients()
      // Nobody who could offer it again is left: this is what the server itself kept.
      await until(async () => (await server.text('restart')) === text, 'the server has it all')
      await server.stop()
      await server.start()
      const late = await new Client(server, 'restart').synced()
      assert.equal(late.text.toString(), text)
    } finally {
      destroyClients()
      await server.destroy()
    }
  })
}

test('what was relayed before a SIGTERM is there after it, without any client', { timeout: 60_000 }, async () => {
  const server = await Server.start()
  try {
    const [one, two] = await Promise.all([new Client(server, 'flushed').synced(), new Client(server, 'flushed').synced()])
    for (let i = 0; i < 300; i++) one.text.insert(one.text.length, `${i} `)
    await converged([one, two])
    const text = two.text.toString()
    destroyClients()
    await server.stop()
    await server.start()
    assert.equal(await server.text('flushed'), text)
  } finally {
    await server.destroy()
  }
})
