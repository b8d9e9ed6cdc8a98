/**
 * Our real server as a child process with a folder of its own. Must not know what clients say.
 *
 * The binary: `COLLAB_TEST_BIN`, else the newer of `target/{release,debug}/collab`.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const REPOSITORY = fileURLToPath(new URL('../../../', import.meta.url))
/** A start that takes longer has failed. */
const START_MS = 20_000
/** SIGTERM to exit: what the server promises. */
const STOP_MS = 25_000

export function serverBinary () {
  const given = process.env.COLLAB_TEST_BIN
  if (given) {
    if (!existsSync(given)) throw new Error(`COLLAB_TEST_BIN names ${given}, which does not exist`)
    return given
  }
  const built = ['release', 'debug']
    .map((profile) => join(REPOSITORY, 'target', profile, 'collab'))
    .filter((path) => existsSync(path))
    .sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs)
  if (built.length === 0) throw new Error('no server to test: run `cargo xtask build`, or set COLLAB_TEST_BIN')
  return built[0]
}

/** The caller's environment without what would configure the server or a database. */
export function cleanEnvironment () {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) =>
    !name.startsWith('COLLAB_') && !['DATABASE_URL', 'HOST', 'PORT'].includes(name)))
}

export class Server {
  /** @param {Record<string, string>} environment */
  static async start (environment = {}) {
    const server = new Server(environment)
    await server.start()
    return server
  }

  constructor (environment) {
    this.environment = environment
    this.folder = mkdtempSync(join(tmpdir(), 'collab-interop-'))
    /** 0 until the first start: a server that comes back keeps its address. */
    this.port = 0
    this.log = ''
    /** @type {import('node:child_process').ChildProcess | null} */
    this.process = null
    this.onExit = () => this.process?.kill('SIGKILL')
    process.on('exit', this.onExit)
  }

  get http () { return `http://127.0.0.1:${this.port}` }
  /** What a y-websocket provider takes as its server. */
  get yjs () { return `ws://127.0.0.1:${this.port}/yjs` }

  async start () {
    const child = spawn(serverBinary(), ['serve', '--listen', `127.0.0.1:${this.port}`, '--data-dir', join(this.folder, 'data')], {
      cwd: this.folder, env: { ...cleanEnvironment(), ...this.environment }, stdio: ['ignore', 'pipe', 'pipe']
    })
    this.process = child
    const note = (text) => { this.log = (this.log + text).slice(-20_000) }
    child.stderr.setEncoding('utf8').on('data', note)
    const listening = new Promise((resolve, reject) => {
      createInterface({ input: child.stdout }).on('line', (line) => {
        note(line + '\n')
        const found = /http:\/\/127\.0\.0\.1:(\d+)/.exec(line)
        if (found) resolve(Number(found[1]))
      })
      child.once('error', reject)
      child.once('exit', (code, signal) => reject(new Error(`the server ended at its start (${code ?? signal}):\n${this.log}`)))
      setTimeout(() => reject(new Error(`the server did not listen within ${START_MS} ms:\n${this.log}`)), START_MS).unref()
    })
    this.port = await listening
  }

  /** Ends the process by `signal`; returns `[code, signal]`. */
  async end (signal, patience) {
    const child = this.process
    if (!child) throw new Error('the server is not running')
    this.process = null
    const exited = once(child, 'exit')
    child.kill(signal)
    const alarm = setTimeout(() => child.kill('SIGKILL'), patience)
    const [code, by] = await exited
    clearTimeout(alarm)
    return [code, by]
  }

  /** Graceful; throws unless the server exits with 0 in time. */
  async stop () {
    const [code, by] = await this.end('SIGTERM', STOP_MS)
    if (code !== 0) throw new Error(`SIGTERM ended the server with ${code ?? by}:\n${this.log}`)
  }

  /** `kill -9`. */
  async kill () {
    await this.end('SIGKILL', STOP_MS)
  }

  /** The end of the test: a graceful stop and an empty folder. */
  async destroy () {
    if (this.process) await this.stop()
    process.off('exit', this.onExit)
    rmSync(this.folder, { recursive: true, force: true })
  }

  async text (room, file = 'main') {
    const answer = await fetch(`${this.http}/api/rooms/${encodeURIComponent(room)}/files/${file}`)
    if (answer.status !== 200) throw new Error(`${answer.status} ${await answer.text()}`)
    return answer.text()
  }
}
