// `npm run test:faults [-- --rounds N] [-- --deliveries N] [-- --seed N]`: kills the real server with SIGKILL at random moments
// while clients submit, again and again on the same directory, and then shows that nothing acknowledged was lost and nothing
// repeated. Also while it starts, since that is when it repairs; and while it delivers to another server (deliveries.ts). Ends
// with 1 and the directory kept when something is wrong.
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { configText } from '../kit/config.ts'
import { spawnServer, startServer } from '../kit/server.ts'
import { removeDir, tempDir } from '../kit/temp.ts'
import { Clients } from './clients.ts'
import { killedDeliveries } from './deliveries.ts'
import { fullDisk } from './full-disk.ts'
import { judge } from './judge.ts'
import { seeded } from './random.ts'

/** Clients at the same time. */
const CONNECTIONS = 6
/** Milliseconds after which the server is killed, at most: counted from when it is ready. */
const LONGEST = 600
/** One round in so many is killed while it starts. */
const DURING_START = 8
/** Problems that are printed. */
const SHOWN = 50

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '200' },
    deliveries: { type: 'string', default: '10000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  },
})
const rounds = Number(values.rounds)
const deliveries = Number(values.deliveries)
const seed = Number(values.seed)
if (![rounds, deliveries].every(n => Number.isSafeInteger(n) && n > 0) || !Number.isSafeInteger(seed)) {
  console.error('--rounds, --deliveries and --seed take whole numbers')
  process.exit(2)
}

console.log(`faults: ${rounds} rounds, seed ${seed} (repeat with --seed ${seed})`)
const disk = await fullDisk()
for (const problem of disk.problems) console.error(problem)
console.log(`full disk: ${disk.summary}`)

const out = await killedDeliveries(deliveries, seeded(seed))
for (const problem of out.problems.slice(0, SHOWN)) console.error(problem)
console.log(`deliveries: ${out.summary}`)

const random = seeded(seed)
const clients = new Clients(random)
const dir = await tempDir('mox-faults')
const started = performance.now()
let startMs = 0
let starts = 0
let config: string | undefined = configText({ retrySchedule: [1, 1, 1, 1, 1] })
for (let round = 1; round <= rounds; round++) {
  // Waiting times first: the sequence of choices must not depend on how far the clients got.
  const duringStart = round > 1 && random.below(DURING_START) === 0
  const delay = random.below(LONGEST)
  const server = await spawnServer({ dir, ...(config === undefined ? {} : { config }) })
  config = undefined
  if (duringStart) {
    await sleep(delay / 2)
    await server.kill()
  } else {
    await server.whenReady(30_000)
    startMs += server.startMs
    starts++
    const submitting = clients.run(server.port('submission'), CONNECTIONS)
    await sleep(delay)
    await server.kill()
    await submitting
  }
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[Kround ${round}, ${clients.sent.length} messages`)
}
if (process.stderr.isTTY) process.stderr.write('\r\x1b[K')

const server = await startServer({ dir, within: 60_000 })
const { stored, compared, problems } = await judge(server, clients.sent, 10)
await server.stop()
for (const problem of problems.slice(0, SHOWN)) console.error(problem)
const count = (fate: string): number => clients.sent.filter(sent => sent.fate === fate).length
console.log(
  `killed ${rounds} times in ${((performance.now() - started) / 1000).toFixed(0)} s, ` +
    `start ${(startMs / Math.max(starts, 1)).toFixed(0)} ms on average: ${count('acknowledged')} messages acknowledged, ` +
    `${count('doubt')} in doubt, ${count('refused')} refused; ${stored} copies in mailboxes, ${compared} compared byte for ` +
    `byte; ${problems.length} problems`,
)
if (problems.length > 0) console.error(`the directory is kept: ${dir}`)
else await removeDir(dir)
if ([problems, disk.problems, out.problems].some(found => found.length > 0)) process.exit(1)
