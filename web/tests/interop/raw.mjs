/**
 * A bare `ws` client that reads and writes frames by hand, with or without our subprotocol, and
 * checks of every frame that it holds exactly one message. Must not know what yjs makes of them.
 */
import { once } from 'node:events'
import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import WebSocket from 'ws'
import { until } from './waiting.mjs'

export const SUBPROTOCOL = 'collab.v1'

/** @type {Set<Raw>} */
const living = new Set()

export function destroyRaws () {
  for (const raw of living) raw.destroy()
}

function frame (...parts) {
  return encoding.encode((encoder) => {
    for (const part of parts) {
      if (typeof part === 'number') encoding.writeVarUint(encoder, part)
      else encoding.writeVarUint8Array(encoder, part)
    }
  })
}

export const frames = {
  step1: (sv) => frame(0, 0, sv),
  step2: (update) => frame(0, 1, update),
  update: (update) => frame(0, 2, update),
  awareness: (entries) => frame(1, entries),
  queryAwareness: () => frame(3)
}

function readControl (payload) {
  const decoder = decoding.createDecoder(payload)
  const uint = () => decoding.readVarUint(decoder)
  switch (uint()) {
    case 0: return {
      kind: 'welcome',
      version: uint(),
      lineage: Buffer.from(decoding.readUint8Array(decoder, 16)).toString('hex'),
      connection: uint(),
      epoch: uint(),
      seq: uint(),
      maxFrameBytes: uint()
    }
    case 1: return { kind: 'saved', frames: uint(), seq: uint() }
    case 2: return { kind: 'rejected', frame: uint(), code: uint(), reason: decoding.readVarString(decoder) }
    case 3: {
      const status = ['normal', 'degraded', 'frozen', 'draining'][uint()]
      return { kind: 'status', status, ...(status === 'draining' ? { withinMs: uint() } : {}) }
    }
    case 4: return { kind: 'closing', code: uint(), retryAfterMs: uint(), reason: decoding.readVarString(decoder) }
    default: throw new Error('a control message that the protocol does not have')
  }
}

/** One frame, decoded; throws unless it is exactly one message. */
export function readFrame (bytes) {
  const decoder = decoding.createDecoder(bytes)
  const type = decoding.readVarUint(decoder)
  let message
  if (type === 0) {
    const kind = ['step1', 'step2', 'update'][decoding.readVarUint(decoder)]
    message = { kind, bytes: decoding.readVarUint8Array(decoder) }
  } else if (type === 1) message = { kind: 'awareness', bytes: decoding.readVarUint8Array(decoder) }
  else if (type === 2) message = { kind: 'auth', code: decoding.readVarUint(decoder), reason: decoding.readVarString(decoder) }
  else if (type === 3) message = { kind: 'queryAwareness' }
  else if (type === 112) message = readControl(decoding.readVarUint8Array(decoder))
  else throw new Error(`message type ${type}`)
  if (decoding.hasContent(decoder)) throw new Error(`more than one message in a frame: ${Buffer.from(bytes).toString('hex')}`)
  return message
}

export class Raw {
  /** @param {string[]} protocols */
  constructor (server, room, protocols = [SUBPROTOCOL]) {
    this.socket = new WebSocket(`${server.yjs}/${room}`, protocols)
    this.socket.binaryType = 'arraybuffer'
    /** Everything heard, oldest first. @type {any[]} */
    this.heard = []
    /** @type {{ code: number, reason: string } | null} */
    this.closed = null
    /** @type {Error | null} */
    this.broken = null
    this.socket.on('message', (data) => {
      try {
        this.heard.push(readFrame(new Uint8Array(data)))
      } catch (error) {
        this.broken ??= error
      }
    })
    this.socket.on('close', (code, reason) => { this.closed = { code, reason: reason.toString() } })
    // Every test looks at `closed`; a refused upgrade is heard through `opened`.
    this.socket.on('error', (error) => { this.broken ??= error })
    living.add(this)
  }

  async opened () {
    if (this.socket.readyState !== WebSocket.OPEN) await once(this.socket, 'open')
    return this
  }

  send (...many) {
    for (const bytes of many) this.socket.send(bytes)
  }

  /** All messages of a kind so far. */
  all (kind) {
    if (this.broken) throw this.broken
    return this.heard.filter((message) => message.kind === kind)
  }

  /** The first message of a kind that satisfies `wanted`. */
  hears (kind, wanted = () => true, patience = undefined) {
    return until(() => this.all(kind).find(wanted), () => `a ${kind} among ${JSON.stringify(this.heard.map((m) => ({ ...m, bytes: undefined })))}, closed: ${JSON.stringify(this.closed)}`, patience)
  }

  async isClosed () {
    await until(() => this.closed, () => `closed; heard ${JSON.stringify(this.heard.map((m) => m.kind))}`)
    if (this.broken) throw this.broken
    return this.closed
  }

  destroy () {
    living.delete(this)
    this.socket.terminate()
  }
}
