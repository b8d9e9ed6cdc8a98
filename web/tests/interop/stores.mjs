/**
 * Stores of other servers, written by their own published packages, and our importer run on them.
 * Must not know what documents say.
 */
import { Server as Hocuspocus } from '@hocuspocus/server'
import { SQLite } from '@hocuspocus/extension-sqlite'
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { LeveldbPersistence } from 'y-leveldb'
import * as Y from 'yjs'
import { cleanEnvironment, serverBinary } from './server.mjs'

/** @typedef {{ name: string, updates: Uint8Array[] }} Written a document and what was sent of it */

/** `@hocuspocus/server` with `@hocuspocus/extension-sqlite`, which stores each document when it was left. */
export async function writeHocuspocus (file, /** @type {Written[]} */ documents) {
  const sqlite = new SQLite({ database: file })
  const server = new Hocuspocus({ extensions: [sqlite], quiet: true, port: 0, address: '127.0.0.1', stopOnSignals: false })
  await server.listen()
  for (const { name, updates } of documents) {
    const connection = await server.hocuspocus.openDirectConnection(name)
    await connection.transact((doc) => { for (const update of updates) Y.applyUpdate(doc, update) })
    await connection.disconnect()
  }
  await server.destroy()
  sqlite.db.close()
}

/** `y-leveldb`; every second document is flushed, so that both ways of storing are there. */
export async function writeLevelDb (folder, /** @type {Written[]} */ documents) {
  const store = new LeveldbPersistence(folder)
  for (const [index, { name, updates }] of documents.entries()) {
    for (const [at, update] of updates.entries()) {
      await store.storeUpdate(name, update)
      if (index % 2 === 1 && at === Math.floor(updates.length / 2)) await store.flushDocument(name)
    }
    await store.setMeta(name, 'owner', 'somebody')
  }
  await store.destroy()
}

/** `y-sweet-core`, the crate: our program around it applies and persists. */
export async function writeYSweet (folder, /** @type {Written[]} */ documents) {
  const updates = `${folder}-updates`
  writeFolder(updates, documents, (name, at) => join(name, String(at).padStart(6, '0')))
  const program = process.env.COLLAB_TEST_Y_SWEET ??
    fileURLToPath(new URL('../../../target/y-sweet-store/debug/y-sweet-store', import.meta.url))
  if (!existsSync(program)) throw new Error(`${program} is missing: run \`cargo xtask test --only interop\``)
  const { code, err } = await run(program, [folder, updates])
  if (code !== 0) throw new Error(`y-sweet-store ended with ${code}: ${err}`)
}

/** Each update in a file of its own. */
export function writeFolder (folder, /** @type {Written[]} */ documents, named) {
  for (const { name, updates } of documents) {
    for (const [at, update] of updates.entries()) {
      const path = join(folder, named(name, at))
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, update)
    }
  }
}

/** Runs a program to its end. */
export async function run (program, args, cwd = undefined) {
  const child = spawn(program, args, { cwd, env: cleanEnvironment(), stdio: ['ignore', 'pipe', 'pipe'] })
  let [out, err] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text) => { out += text })
  child.stderr.setEncoding('utf8').on('data', (text) => { err += text })
  const [code] = await once(child, 'close')
  return { code, out, err }
}

/** Our program. */
export function collab (folder, ...args) {
  return run(serverBinary(), args, folder)
}

/** What a room holds, as yjs reads it. */
export async function exported (folder, room) {
  const file = join(folder, 'exported.bin')
  const { code, err } = await collab(folder, 'room', 'export', room, '--out', file)
  if (code !== 0) throw new Error(`${room}: ${err}`)
  const doc = new Y.Doc()
  Y.applyUpdate(doc, readFileSync(file))
  return doc
}

/** Every file below a path with a digest of it. */
export function files (path) {
  if (!statSync(path).isDirectory()) return [[path, createHash('sha256').update(readFileSync(path)).digest('hex')]]
  return readdirSync(path).sort().flatMap((name) => files(join(path, name)))
}
