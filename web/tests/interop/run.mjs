/**
 * `npm test`: every `*.check.mjs` beside this file, each in a process of its own and all at once,
 * so that the minute in which idle clients must stay connected costs no time. Arguments choose
 * tests by name. Must not know what they test.
 */
import { spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { serverBinary } from './server.mjs'

const folder = fileURLToPath(new URL('.', import.meta.url))
const checks = readdirSync(folder).filter((name) => name.endsWith('.check.mjs'))
const names = process.argv.slice(2).map((name) => `--test-name-pattern=${name}`)

console.log(`the server under test: ${serverBinary()}`)
// A whole file counts as one test for the time limit, and one idles for 70 s.
const limits = [`--test-concurrency=${checks.length}`, '--test-timeout=300000']
const run = spawn(process.execPath, ['--test', ...limits, '--test-reporter=spec', ...names, ...checks], { cwd: folder, stdio: 'inherit' })
run.on('exit', (code) => { process.exitCode = code ?? 1 })
