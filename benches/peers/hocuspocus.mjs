/**
 * The Hocuspocus server as its documentation starts it, in memory: without a database it has less to
 * do than ours. Must not know what is measured.
 */

import { Server } from '@hocuspocus/server'

const port = Number(process.argv[2])
const server = new Server({ port, address: '127.0.0.1', quiet: true, stopOnSignals: true })
await server.listen()
