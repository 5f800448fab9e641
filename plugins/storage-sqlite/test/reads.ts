// Asks the reader thread and ends, with nothing else that keeps the process alive. Run by sqlite.test.ts.
import { make } from './support.ts'

const storage = make(process.argv[2] ?? '')
await storage.open()
const rows = await storage.offload(storage.db('mox_queue'))
process.stdout.write(`${rows.length} rows\n`)
await storage.close()
