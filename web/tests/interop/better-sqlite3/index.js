/**
 * As much of better-sqlite3 as `@hocuspocus/extension-sqlite` asks for, over SQLite as WebAssembly:
 * the original compiles itself when it is installed, and our packages run no scripts then. Must not
 * know what is stored.
 */
import sqlite from 'node-sqlite3-wasm'

/** Named values as the WebAssembly takes them: with the sign. */
const signed = (values) => Object.fromEntries(Object.entries(values).map(([name, value]) => [`$${name}`, value]))

export default class Database {
  constructor (path) {
    this.database = new sqlite.Database(path)
  }

  exec (sql) {
    this.database.exec(sql)
    return this
  }

  prepare (sql) {
    return {
      get: (values) => this.database.get(sql, signed(values)) ?? undefined,
      run: (values) => this.database.run(sql, signed(values))
    }
  }

  close () {
    this.database.close()
  }
}
