// Writes numbers and prints each after its commit, until it is killed. Run by sqlite.test.ts.
import { make } from './support.ts'

const storage = make(process.argv[2] ?? '')
await storage.open()
await storage.write(db => db.schema.createTable('t', t => void t.integer('n').primary()).then(() => undefined))
let next = 0
const client = async (): Promise<never> => {
  for (;;) {
    const n = next++
    await storage.write(db =>
      db('t')
        .insert({ n })
        .then(() => undefined),
    )
    process.stdout.write(`${n}\n`)
  }
}
await Promise.all(Array.from({ length: 10 }, client))
