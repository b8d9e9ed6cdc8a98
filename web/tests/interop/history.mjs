/**
 * Random edits as people and programs make them with published yjs: plain and formatted text,
 * emoji and cut surrogate pairs, maps, arrays, XML, nested types, deletions, undo and redo. Must
 * not know who receives them.
 */
import * as Y from 'yjs'
import { roots } from './content.mjs'

const WORDS = ['a', 'the ', 'def ', 'return', '\n', '    ', 'ß', 'naïve ', '漢字', 'かな', 'Привет ', 'שלום', '{', '}\n', '0', 'x = 1;\n']
const EMOJI = ['😀', '👩‍👩‍👧‍👦', '🇩🇪', '👍🏽', '🧑‍💻', '𝒳', 'e\u0301', '\u{10FFFF}', '﷽']
const MARKS = [['bold', true], ['italic', true], ['color', '#f00'], ['color', '#00f'], ['link', { href: 'https://example.org/?q=ü' }], ['size', 12], ['bold', null], ['color', null]]

function words (random) {
  let out = ''
  const count = random.oneIn(12) ? random.int(20, 120) : random.int(1, 5)
  for (let i = 0; i < count; i++) out += random.pick(random.oneIn(4) ? EMOJI : WORDS)
  return out
}

function scalar (random) {
  switch (random.int(0, 12)) {
    case 0: return null
    case 1: return undefined
    case 2: return random.oneIn(2)
    case 3: return random.int(-70, 70)
    case 4: return random.int(-(2 ** 31), 2 ** 31 - 1)
    case 5: return random.wideId() * (random.oneIn(2) ? 1 : -1)
    case 6: return random.int(1, 1e6) / 7
    // Odd and above 2^53: the engine knows no type of its own for BigInt, so one that a double
    // holds exactly comes back as a number.
    case 7: return 2n ** 60n + 1n + 2n * BigInt(random.bits())
    case 8: return Uint8Array.from({ length: random.int(0, 20) }, () => random.int(0, 255))
    case 9: return ''
    default: return words(random)
  }
}

function value (random, depth = 0) {
  if (depth < 3 && random.oneIn(5)) {
    return random.oneIn(2)
      ? Array.from({ length: random.int(0, 3) }, () => value(random, depth + 1))
      : Object.fromEntries(Array.from({ length: random.int(0, 3) }, () => [random.pick(['k', 'ключ', '', '😀']), value(random, depth + 1)]))
  }
  return scalar(random)
}

/** A value that `Y.Array` takes: it refuses these two at its top level. */
function item (random) {
  const it = value(random)
  return it === undefined || typeof it === 'bigint' ? [it] : it
}

function fresh (random) {
  switch (random.int(0, 4)) {
    case 0: return new Y.Text(words(random))
    case 1: return new Y.Map([['k', scalar(random)], ['t', new Y.Text('nested')]])
    case 2: return Y.Array.from([item(random), item(random)])
    case 3: {
      const element = new Y.XmlElement(random.pick(['p', 'h1', 'li', 'größe']))
      element.setAttribute('id', words(random))
      return element
    }
    default: return new Y.XmlText(words(random))
  }
}

/** Everything in `text` by offset; an embed counts one. */
function units (text) {
  return text.toDelta().map((op) => (typeof op.insert === 'string' ? op.insert : '\0')).join('')
}

/** Steps from inside a surrogate pair to its start. */
function whole (all, index) {
  const before = all.charCodeAt(index - 1)
  return before >= 0xd800 && before < 0xdc00 ? index - 1 : index
}

/**
 * `cut` lets plain edits begin and end inside surrogate pairs, as careless programs do; both
 * halves become U+FFFD everywhere. Formatted text is never cut: yjs splits a pair there even when
 * nothing needs to change, so its replicas disagree among themselves.
 */
function editText (random, text, cut, rich) {
  const { length } = text
  const all = cut && !rich ? '' : units(text)
  const start = whole(all, random.int(0, length))
  const end = whole(all, Math.min(length, start + random.int(0, random.oneIn(6) ? length : 6)))
  const action = random.int(0, rich ? 9 : 5)
  if (action <= 2 || length === 0) text.insert(start, words(random))
  else if (action <= 4) { if (end > start) text.delete(start, end - start) } else if (action === 5) {
    if (end > start) text.delete(start, end - start)
    text.insert(start, words(random))
  } else if (action <= 7) {
    if (end > start) text.format(start, end - start, Object.fromEntries([random.pick(MARKS)]))
  } else if (action === 8) {
    text.insertEmbed(start, random.oneIn(3) ? fresh(random) : { image: words(random) }, random.oneIn(2) ? { width: 3 } : {})
  } else if (random.oneIn(2)) text.insert(start, words(random), Object.fromEntries([random.pick(MARKS)]))
  else text.applyDelta([{ retain: start }, { insert: words(random), attributes: { bold: true } }, ...(end > start ? [{ delete: end - start }] : [])])
}

function editArray (random, array, items) {
  const at = random.int(0, array.length)
  if (array.length > 0 && random.oneIn(3)) {
    const from = random.int(0, array.length - 1)
    array.delete(from, random.int(1, Math.min(3, array.length - from)))
  } else array.insert(at, items())
}

function editMap (random, map) {
  const key = random.pick(['name', 'language', 'k', 't', '', 'ключ', '😀', String(random.int(0, 9))])
  if (random.oneIn(4)) map.delete(key)
  else map.set(key, random.oneIn(4) ? fresh(random) : value(random))
}

function editElement (random, element) {
  if (element instanceof Y.XmlElement && random.oneIn(2)) {
    if (random.oneIn(4)) element.removeAttribute('class')
    else element.setAttribute(random.pick(['class', 'id', 'data-ü']), words(random))
    return
  }
  editArray(random, element, () => [random.oneIn(2) ? new Y.XmlText(words(random)) : new Y.XmlElement(random.pick(['p', 'ul', 'b']))])
}

/** The types inside `type`, one level down. */
function inner (type) {
  if (type instanceof Y.Map) return [...type.values()]
  if (type instanceof Y.Text) return type.toDelta().map((op) => op.insert)
  return type.toArray()
}

/** Walks from a random root to a random type below it. */
function somewhere (random, doc) {
  let [name, type] = random.pick(Object.entries(roots(doc)))
  while (random.int(0, 2) > 0) {
    const below = inner(type).filter((child) => child instanceof Y.AbstractType)
    if (below.length === 0) break
    type = random.pick(below)
    name = ''
  }
  return { name, type }
}

function edit (random, doc, cut) {
  const { name, type } = somewhere(random, doc)
  // Roots named like our files stay plain, as our own page keeps them.
  if (type instanceof Y.Text) editText(random, type, cut, !name.startsWith('file:'))
  else if (type instanceof Y.Map) editMap(random, type)
  else if (type instanceof Y.Array) editArray(random, type, () => Array.from({ length: random.int(1, 3) }, () => (random.oneIn(4) ? fresh(random) : item(random))))
  else editElement(random, type)
}

/** One yjs replica with an undo stack. What it does itself goes to `onUpdate`, as a provider would see it. */
export class Peer {
  /** `index` below 8 keeps small ids apart. @param {import('./random.mjs').Random} random */
  constructor (random, index, onUpdate) {
    this.random = random
    this.doc = new Y.Doc({ gc: !random.oneIn(5) })
    this.doc.clientID = random.oneIn(3) ? random.wideId() : random.oneIn(4) ? random.int(0, 40) * 8 + index : random.bits()
    this.cut = random.oneIn(4)
    this.undo = new Y.UndoManager(Object.values(roots(this.doc)), {
      doc: this.doc, captureTimeout: 0, trackedOrigins: new Set(['person'])
    })
    this.doc.on('update', (update, origin) => { if (origin !== 'network') onUpdate(update) })
  }

  /** Does one thing a person would do: an edit, several at once, undo or redo. */
  act () {
    const { random, doc } = this
    if (random.oneIn(8)) this.undo.undo()
    else if (random.oneIn(12)) this.undo.redo()
    else {
      const count = random.oneIn(5) ? random.int(2, 8) : 1
      doc.transact(() => { for (let i = 0; i < count; i++) edit(random, doc, this.cut) }, random.oneIn(6) ? 'program' : 'person')
    }
  }

  /** Hears from others. */
  receive (update) {
    Y.applyUpdate(this.doc, update, 'network')
  }

  destroy () {
    this.undo.destroy()
    this.doc.destroy()
  }
}
