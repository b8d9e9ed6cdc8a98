/**
 * What a reader of a Yjs document sees, in one comparable form. Must not know how a document came
 * to be: two documents with the same content may differ in their bytes, in tombstones and in
 * redundant formatting marks, and are equal here.
 */
import * as Y from 'yjs'

/** The root types of every test document. Names of our own page's layout come first. */
export const ROOTS = /** @type {const} */ ([
  ['file:main', 'text'],
  ['file:notes', 'text'],
  ['files', 'map'],
  ['meta', 'map'],
  ['rich', 'text'],
  ['list', 'array'],
  ['tree', 'xml']
])

/** @param {Y.Doc} doc */
export function roots (doc) {
  const found = {}
  for (const [name, kind] of ROOTS) {
    found[name] = kind === 'text'
      ? doc.getText(name)
      : kind === 'map' ? doc.getMap(name) : kind === 'array' ? doc.getArray(name) : doc.getXmlFragment(name)
  }
  return found
}

function sorted (entries) {
  return Object.fromEntries([...entries].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
}

function attributes (of) {
  return sorted(Object.entries(of ?? {}).map(([name, value]) => [name, plain(value)]))
}

/** Runs of equal formatting joined: where a run is cut is not content. */
function delta (text) {
  const runs = []
  for (const op of text.toDelta()) {
    const run = { insert: typeof op.insert === 'string' ? op.insert : plain(op.insert), attributes: attributes(op.attributes) }
    const last = runs.at(-1)
    if (last && typeof last.insert === 'string' && typeof run.insert === 'string' &&
      JSON.stringify(last.attributes) === JSON.stringify(run.attributes)) {
      last.insert += run.insert
    } else {
      runs.push(run)
    }
  }
  return runs
}

/** A JSON value for anything that can stand in a document. */
export function plain (value) {
  if (value === undefined) return { $: 'undefined' }
  if (typeof value === 'bigint') return { $: 'bigint', value: String(value) }
  if (typeof value === 'number' && !Number.isFinite(value)) return { $: 'number', value: String(value) }
  if (Object.is(value, -0)) return { $: 'number', value: '-0' }
  if (value === null || typeof value !== 'object') return value
  if (value instanceof Uint8Array) return { $: 'bytes', value: Buffer.from(value).toString('hex') }
  if (value instanceof Y.XmlText) return { $: 'xmltext', delta: delta(value), attributes: attributes(value.getAttributes()) }
  if (value instanceof Y.Text) return { $: 'text', delta: delta(value), attributes: attributes(value.getAttributes()) }
  if (value instanceof Y.XmlElement) {
    return { $: 'element', name: value.nodeName, attributes: attributes(value.getAttributes()), children: value.toArray().map(plain) }
  }
  if (value instanceof Y.XmlFragment) return { $: 'fragment', children: value.toArray().map(plain) }
  if (value instanceof Y.Map) return { $: 'map', entries: sorted([...value.entries()].map(([key, entry]) => [key, plain(entry)])) }
  if (value instanceof Y.Array) return { $: 'array', items: value.toArray().map(plain) }
  if (Array.isArray(value)) return value.map(plain)
  return sorted(Object.entries(value).map(([key, entry]) => [key, plain(entry)]))
}

/** Everything a reader sees in `doc`, as one line of JSON. @param {Y.Doc} doc */
export function content (doc) {
  return JSON.stringify(sorted(Object.entries(roots(doc)).map(([name, type]) => [name, plain(type)])))
}

/** State vector as sorted pairs. @param {Y.Doc} doc @returns {[number, number][]} */
export function stateVector (doc) {
  return [...Y.decodeStateVector(Y.encodeStateVector(doc))].sort(([a], [b]) => a - b)
}

/** Why the two documents are not the same to a reader, or null. @param {Y.Doc} expected @param {Y.Doc} actual */
export function difference (expected, actual) {
  if (actual.store.pendingStructs !== null) return 'structs are still pending'
  if (actual.store.pendingDs !== null) return 'deletions are still pending'
  const [want, have] = [JSON.stringify(stateVector(expected)), JSON.stringify(stateVector(actual))]
  if (want !== have) return `state vector: expected ${want}, found ${have}`
  const [left, right] = [content(expected), content(actual)]
  if (left === right) return null
  let at = 0
  while (left[at] === right[at]) at++
  const around = (line) => line.slice(Math.max(0, at - 120), at + 120)
  return `content: expected …${around(left)}…, found …${around(right)}…`
}
