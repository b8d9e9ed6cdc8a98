/**
 * A room is deleted under plain y-websocket clients, and its name is used again. They cannot be told
 * which document a name stands for; this is what each of them does, and what it may cost
 * (docs/PROTOCOL.md, “Lineage”).
 */
import assert from 'node:assert/strict'
import { afterEach, test } from 'node:test'
import { Client, STABLE, destroyClients } from './clients.mjs'
import { Server } from './server.mjs'
import { until } from './waiting.mjs'

/** Majors that take a final close code for an answer. */
const STAYS_AWAY = ['3.1.0']

const count = (text, word) => text.split(word).length - 1

afterEach(destroyClients)

for (const version of STABLE) {
  const stays = STAYS_AWAY.includes(version)
  test(`y-websocket ${version} ${stays ? 'stays away from' : 'brings its text back into'} a room that was deleted`, { timeout: 60_000 }, async () => {
    const server = await Server.start()
    try {
      const old = await new Client(server, 'again', { version }).synced()
      old.text.insert(0, 'of the old room ')
      await until(async () => (await server.text('again')) === 'of the old room ', 'it is there')
      const deleted = await fetch(`${server.http}/api/rooms/again`, { method: 'DELETE' })
      assert.ok(deleted.ok)
      await until(() => !old.provider.wsconnected, 'it is sent away')
      // What is typed now is typed into the old text.
      old.text.insert(0, 'and later ')
      const other = await new Client(server, 'again').synced()
      other.text.insert(0, 'of the new room ')
      if (stays) {
        assert.equal(old.provider.shouldConnect, false, 'it will not come back')
        await until(async () => (await server.text('again')) === 'of the new room ', 'the new text is there')
        assert.equal(old.text.toString(), 'and later of the old room ', 'its own text is still with it')
        return
      }
      // It cannot be kept out without keeping out everybody who was offline: its text joins the new
      // one, whole, once, and nothing of the new one is lost.
      await until(() => other.text.toString().includes('old room'), 'it came back')
      const text = other.text.toString()
      for (const words of ['of the old room ', 'and later ', 'of the new room ']) assert.equal(count(text, words), 1, text)
    } finally {
      destroyClients()
      await server.destroy()
    }
  })
}
