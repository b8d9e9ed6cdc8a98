/**
 * Published y-websocket clients, each with its own yjs document. Must not know the server's side.
 */
import WebSocket from 'ws'
import * as Y from 'yjs'
import { content, stateVector } from './content.mjs'
import { until } from './waiting.mjs'

/** Every published major, and the release candidate that shows whether edits are confirmed. */
const PACKAGES = {
  '3.1.0': await import('y-websocket'),
  '3.0.0': await import('y-websocket-3-0'),
  '2.1.0': await import('y-websocket-2'),
  '1.5.4': await import('y-websocket-1'),
  '3.1.0-rc.5': await import('y-websocket-rc')
}

export const STABLE = ['3.1.0', '3.0.0', '2.1.0', '1.5.4']
export const ALL = [...STABLE, '3.1.0-rc.5']

// Where `resyncInterval` is set, the provider looks at this even when it was given a polyfill.
globalThis.WebSocket ??= WebSocket

/** @type {Set<Client>} */
const living = new Set()

/** For `afterEach`: nothing of a test outlives it. */
export function destroyClients () {
  for (const client of living) client.destroy()
}

export class Client {
  /**
   * @param {import('./server.mjs').Server} server
   * @param {string} room
   * @param {{ version?: string, doc?: Y.Doc, id?: number, options?: object, Socket?: typeof WebSocket }} [how]
   */
  constructor (server, room, { version = '3.1.0', doc = new Y.Doc(), id, options = {}, Socket = WebSocket } = {}) {
    const client = this
    if (id !== undefined) doc.clientID = id
    this.doc = doc
    /** Sockets opened so far: more than one means that the client came back. */
    this.sockets = 0
    class Counted extends Socket {
      constructor (...rest) {
        super(...rest)
        client.sockets++
      }
    }
    this.provider = new PACKAGES[version].WebsocketProvider(server.yjs, room, doc, {
      WebSocketPolyfill: Counted, disableBc: true, ...options
    })
    this.version = version
    living.add(this)
  }

  get text () { return this.doc.getText('file:main') }
  get awareness () { return this.provider.awareness }
  /** What this client knows about another one's presence. */
  presence (other) { return this.awareness.getStates().get(other.doc.clientID) }
  /** WebSocket bytes of the living connection, as a broken client would send them. */
  sendRaw (bytes) { this.provider.ws.send(Uint8Array.from(bytes)) }

  async synced () {
    await until(() => this.provider.synced, `y-websocket ${this.version} is synced`)
    return this
  }

  /** The cable is pulled: no goodbye, and no way back. */
  vanish () {
    this.provider.shouldConnect = false
    this.provider.ws.terminate()
  }

  destroy () {
    living.delete(this)
    this.provider.destroy()
    this.doc.destroy()
  }
}

/** Waits until all see the same content and state vector. @param {Client[]} clients */
export async function converged (clients, patience) {
  const seen = () => clients.map(({ doc }) => `${JSON.stringify(stateVector(doc))} ${content(doc)}`)
  await until(() => new Set(seen()).size === 1, () => `all clients show the same:\n${seen().map((s) => s.slice(0, 400)).join('\n')}`, patience)
}
