/**
 * A small y-websocket world in memory: yjs replicas around one yjs server, with delays, offline
 * stretches, repeats and merged frames, written down as the exact updates a server is offered, in
 * turns. Must not know our server: what it expects is what yjs itself makes of the same offers.
 */
import * as Y from 'yjs'
import { difference, stateVector } from './content.mjs'
import { Peer } from './history.mjs'
import { Random } from './random.mjs'

export class Network {
  /** @param {number} seed */
  constructor (seed) {
    this.random = new Random(seed)
    this.mirror = new Y.Doc()
    /** What is offered until the next turn ends: `[author, update]`. */
    this.offers = []
    /** @type {{ updates: Uint8Array[], sv: [number, number][] }[]} */
    this.turns = []
    /** Moments of a replica's life, to be brought level later by a diff. */
    this.probes = []
    this.seats = Array.from({ length: this.random.int(2, 5) }, (_, index) => {
      const seat = { online: true, inbound: [], held: [], peer: null }
      seat.peer = new Peer(this.random, index, (update) => { if (seat.online) seat.held.push(update) })
      return seat
    })
    this.mirror.on('update', (update, author) => {
      for (const seat of this.seats) if (seat.online && seat !== author) seat.inbound.push(update)
    })
  }

  /** Sends what a replica holds back, one frame each or merged into one. */
  send (seat) {
    if (seat.held.length === 0) return
    const frames = seat.held.length > 1 && this.random.oneIn(2) ? [Y.mergeUpdates(seat.held)] : seat.held
    for (const frame of frames) this.offers.push([seat, frame])
    seat.held = []
  }

  endTurn () {
    if (this.offers.length === 0) return
    for (const [author, update] of this.offers) Y.applyUpdate(this.mirror, update, author)
    this.turns.push({ updates: this.offers.map(([, update]) => update), sv: stateVector(this.mirror) })
    this.offers = []
  }

  deliver (seat, count) {
    for (const update of seat.inbound.splice(0, count)) seat.peer.receive(update)
  }

  leave (seat) {
    this.send(seat)
    seat.online = false
    seat.inbound = []
  }

  /** Both halves of the handshake of y-protocols. */
  join (seat) {
    this.endTurn()
    seat.online = true
    const { doc } = seat.peer
    this.offers.push([seat, Y.encodeStateAsUpdate(doc, Y.encodeStateVector(this.mirror))])
    seat.peer.receive(Y.encodeStateAsUpdate(this.mirror, Y.encodeStateVector(doc)))
  }

  step () {
    const { random } = this
    const seat = random.pick(this.seats)
    const dice = random.int(0, 99)
    if (dice < 62) {
      seat.peer.act()
      if (random.int(0, 3) > 0) this.send(seat)
    } else if (dice < 78) {
      this.deliver(seat, random.int(1, 10))
    } else if (dice < 86) {
      seat.online ? this.leave(seat) : this.join(seat)
    } else if (dice < 97) {
      this.endTurn()
    } else if (dice === 97 && seat.online) {
      this.send(seat)
      this.offers.push([seat, Y.encodeStateAsUpdate(seat.peer.doc)])
    } else if (dice === 98 && this.turns.length > 0) {
      this.offers.push([seat, random.pick(random.pick(this.turns).updates)])
    } else if (this.probes.length < 2) {
      this.probes.push({ state: Y.encodeStateAsUpdate(seat.peer.doc), sv: Y.encodeStateVector(seat.peer.doc) })
    }
  }

  /** Lets everybody hear everything. Throws when yjs alone does not converge. */
  settle () {
    for (const seat of this.seats) seat.online ? this.send(seat) : this.join(seat)
    for (let round = 0; ; round++) {
      if (round > 50) throw new Error('yjs replicas go on talking for ever')
      for (const seat of this.seats) {
        this.deliver(seat, Infinity)
        this.send(seat)
      }
      if (this.offers.length === 0) break
      this.endTurn()
    }
    for (const seat of this.seats) {
      const why = difference(this.mirror, seat.peer.doc)
      if (why) throw new Error(`yjs disagrees with itself: ${why}`)
    }
  }

  run () {
    const steps = this.random.oneIn(40) ? 400 : this.random.int(15, 70)
    for (let i = 0; i < steps; i++) this.step()
    this.settle()
  }

  destroy () {
    for (const seat of this.seats) seat.peer.destroy()
    this.mirror.destroy()
  }
}
