/**
 * What other servers leave behind becomes rooms: stores written by the published packages, imported by our
 * program, and compared in yjs. A damaged store is refused or imported in part, and says so.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync, existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import * as Y from 'yjs'
import { difference } from './content.mjs'
import { Peer } from './history.mjs'
import { Random } from './random.mjs'
import { collab, exported, files, writeFolder, writeHocuspocus, writeLevelDb, writeYSweet } from './stores.mjs'

const SEED = Number(process.env.SEED ?? 20_250)
const NAMES = ['notes', 'team/plan', 'Grüße 漢字', 'a', 'with space & "quotes"', 'tail']

/** Two people edit each document at once; what a server got is every update of both. */
function written (name, at) {
  const random = new Random(SEED + at)
  const updates = []
  const peers = [0, 1].map((index) => new Peer(random, index, (update) => {
    updates.push(update)
    for (const peer of peers) peer.receive(update)
  }))
  for (const peer of peers) peer.doc.clientID = random.bits()
  for (let acts = 0; acts < 120; acts++) random.pick(peers).act()
  const doc = peers[0].doc
  const text = doc.getText('file:main')
  text.insert(0, `This is ${name}.\n`)
  return { name, updates, doc }
}

const DOCUMENTS = NAMES.map(written)

/** What y-sweet takes without harm: names have no slash, and its engine fails on some of the above. */
const PLAIN = NAMES.filter((name) => !name.includes('/')).map((name, at) => {
  const random = new Random(SEED + at)
  const updates = []
  const doc = new Y.Doc()
  doc.clientID = random.bits()
  doc.on('update', (update) => updates.push(update))
  for (let edits = 0; edits < 60; edits++) {
    const text = random.pick([doc.getText('file:main'), doc.getText('rich')])
    const start = random.int(0, text.length)
    if (random.oneIn(3) && start < text.length) text.delete(start, random.int(1, Math.min(5, text.length - start)))
    else text.insert(start, `${name} ${edits} `)
    if (random.oneIn(4) && start + 3 < text.length) doc.getText('rich').format(0, 1, { bold: random.oneIn(2) })
    doc.getMap('meta').set(random.pick(['name', 'language']), random.bits())
    doc.getArray('list').insert(0, [edits, name])
  }
  doc.getText('file:main').insert(0, `This is ${name}.\n`)
  return { name, updates, doc }
})

/** The kinds of stores: how they are written, and where damage shows in a part of them only. */
const KINDS = [
  { kind: 'hocuspocus', documents: DOCUMENTS, args: [], write: (at) => writeHocuspocus(at, DOCUMENTS) },
  { kind: 'y-leveldb', documents: DOCUMENTS, args: [], write: (at) => writeLevelDb(at, DOCUMENTS) },
  { kind: 'y-sweet', documents: PLAIN, args: [], write: (at) => writeYSweet(at, PLAIN) },
  {
    kind: 'updates',
    documents: DOCUMENTS,
    args: ['--by-folder'],
    write: (at) => writeFolder(at, DOCUMENTS, (name, number) => join(name, `${number}.bin`))
  }
]

let here = ''
beforeEach(() => { here = mkdtempSync(join(tmpdir(), 'collab-stores-')) })
afterEach(() => rmSync(here, { recursive: true, force: true }))

const store = () => join(here, 'store')
const importing = (kind, ...args) => collab(here, 'import', kind, store(), ...args)

async function allThere (documents, room = (name) => name) {
  for (const { name, doc } of documents) {
    assert.equal(difference(doc, await exported(here, room(name))), null, name)
  }
}

for (const { kind, documents, args, write } of KINDS) {
  test(`${kind}: every document becomes a room with its content`, { timeout: 120_000 }, async () => {
    await write(store())
    const before = files(store())

    const dry = await importing(kind, ...args, '--dry-run')
    assert.equal(dry.code, 0, dry.err)
    assert.equal(dry.out.split('\n').filter((line) => line.startsWith('make ')).length, documents.length, dry.out)
    assert.ok(!existsSync(join(here, 'data')), 'a dry run writes nothing')

    const first = await importing(kind, ...args)
    assert.equal(first.code, 0, first.err)
    assert.match(first.out, new RegExp(`^imported ${documents.length} documents `))
    await allThere(documents)
    assert.deepEqual(files(store()), before, 'the store is as it was')

    const again = await importing(kind, ...args)
    assert.equal(again.code, 0, again.err)
    assert.match(again.out, new RegExp(`^imported 0 documents .*; ${documents.length} left alone`))
    const merged = await importing(kind, ...args, '--merge')
    assert.equal(merged.code, 0, merged.err)
    assert.match(merged.out, new RegExp(`, ${documents.length} of them merged`))
    await allThere(documents)

    const elsewhere = await importing(kind, ...args, '--prefix', 'old/', '--rename', 'notes=new notes', '--only', 'notes', '--only', 'a')
    assert.equal(elsewhere.code, 0, elsewhere.err)
    await allThere(documents.filter(({ name }) => name === 'notes'), () => 'new notes')
    await allThere(documents.filter(({ name }) => name === 'a'), () => 'old/a')
  })
}

test('a room that exists keeps what it has, and gets the document beside it when asked', async () => {
  const ours = new Y.Doc()
  ours.getText('file:main').insert(0, 'ours')
  writeFileSync(join(here, 'ours.bin'), Y.encodeStateAsUpdate(ours))
  assert.equal((await collab(here, 'room', 'import', 'notes', 'ours.bin')).code, 0)
  await writeLevelDb(store(), DOCUMENTS)
  const left = await importing('y-leveldb')
  assert.match(left.err, /"notes": exists already, and was left as it is/)
  assert.equal(difference(ours, await exported(here, 'notes')), null)
  assert.equal((await importing('y-leveldb', '--merge')).code, 0)
  Y.applyUpdate(ours, Y.encodeStateAsUpdate(DOCUMENTS[0].doc))
  assert.equal(difference(ours, await exported(here, 'notes')), null)
})

/** Puts damage into the middle of a file. */
function damage (path) {
  const bytes = readFileSync(path)
  bytes.fill(0xee, bytes.length >> 1, (bytes.length >> 1) + 40)
  writeFileSync(path, bytes)
}

/** The largest file with such an ending. */
function largest (ending) {
  const found = readdirSync(store(), { recursive: true }).filter((name) => name.endsWith(ending)).map((name) => join(store(), name))
  return found.sort((a, b) => statSync(b).size - statSync(a).size)[0]
}

test('a damaged LevelDB is refused, and imported in part when asked', async () => {
  await writeLevelDb(store(), DOCUMENTS)
  damage(largest('.log'))
  const refused = await importing('y-leveldb')
  assert.equal(refused.code, 1)
  assert.match(refused.err, /^collab: .*\.log: .*checksum.*--salvage\n$/)
  assert.ok(!existsSync(join(here, 'data')), 'nothing was made')
  const partly = await importing('y-leveldb', '--salvage')
  assert.equal(partly.code, 3)
  assert.match(partly.err, /damaged, and left out: .*checksum/)
  // Written before the damaged place.
  await allThere(DOCUMENTS.slice(0, 1))
})

test('a damaged SQLite file is refused', async () => {
  await writeHocuspocus(store(), DOCUMENTS)
  const bytes = readFileSync(store())
  bytes.fill(0xee, 4096 * 2, 4096 * 2 + 600)
  writeFileSync(store(), bytes)
  const refused = await importing('hocuspocus')
  assert.equal(refused.code, 1, refused.out)
  assert.match(refused.err, /^collab: .* is damaged: .*; use a sound copy/)
  assert.ok(!existsSync(join(here, 'data')), 'nothing was made')
})

for (const [kind, write, ending, args] of [
  ['y-sweet', () => writeYSweet(store(), PLAIN), '.ysweet', []],
  ['updates', () => writeFolder(store(), DOCUMENTS, (name, at) => join(name, `${at}.bin`)), '.bin', ['--by-folder']]
]) {
  test(`${kind}: a damaged document is named, and all others are imported`, async () => {
    await write()
    const path = largest(ending)
    writeFileSync(path, readFileSync(path).subarray(0, statSync(path).size >> 1))
    const partly = await importing(kind, ...args)
    assert.equal(partly.code, 3, partly.err)
    const lines = partly.err.trim().split('\n')
    assert.equal(lines.length, 1, partly.err)
    const documents = kind === 'y-sweet' ? PLAIN : DOCUMENTS
    const damaged = documents.find(({ name }) => lines[0].startsWith(JSON.stringify(name)))
    assert.match(lines[0], /: not imported: .*damaged/)
    await allThere(documents.filter((document) => document !== damaged))
    assert.equal((await collab(here, 'room', 'show', damaged.name)).code, 1, 'no room was made of it')
  })
}

test('what is not a store is refused in one line that says what to do', async () => {
  writeFileSync(store(), 'noise')
  for (const [kind, says] of [
    ['hocuspocus', /cannot be read as a Hocuspocus database/],
    ['y-sweet', /is not a folder; name the one/],
    ['y-leveldb', /is not a folder; name the one/],
    ['updates', /is not a folder; name the one/]
  ]) {
    const refused = await importing(kind)
    assert.equal(refused.code, 1)
    assert.match(refused.err, says)
    assert.equal(refused.err.trim().split('\n').length, 1, refused.err)
  }
})
