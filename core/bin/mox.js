#!/usr/bin/env node
// Starts the command line. In a clone it runs the sources, which Node reads with the condition `mox-source`; worker
// threads need that condition too, so the process starts again with it. An installed package runs what was compiled.
// Plain JavaScript that any Node understands, so that an old one can be told so.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import module from 'node:module'
import { fileURLToPath } from 'node:url'

const NEEDED = 24
/** What node:http takes from Node's fetch(). */
const OF_FETCH = new Set(['WebSocket', 'CloseEvent', 'MessageEvent'])
const CONDITION = '--conditions=mox-source'

const path = relative => fileURLToPath(new URL(relative, import.meta.url))
const inClone = existsSync(path('../src/cli/main.ts'))
const isOld = Number(process.versions.node.split('.', 1)[0]) < NEEDED
const ownNode = [
  '../../node_modules/.bin/node',
  '../../node_modules/node/bin/node',
  '../../node_modules/node/bin/node.exe',
]
  .map(path)
  .find(file => existsSync(file))

if (isOld && (!inClone || ownNode === undefined || process.env.MOX_RESTARTED === '1')) {
  console.error(`mox: needs Node.js ${NEEDED} or newer, this is ${process.version}; see https://nodejs.org/`)
  process.exit(1)
} else if (inClone && (isOld || !process.execArgv.includes(CONDITION))) {
  restart(isOld ? ownNode : process.execPath)
} else {
  // Compiled code is kept for the next start, beside the code itself: who may write there may change the code anyway.
  const cache = path(inClone ? '../../node_modules/.cache/mox' : '../../../.cache/mox')
  module.enableCompileCache(cache)
  // Threads only look here. Without it each of them would compile everything, and in a clone load what takes types out.
  process.env.NODE_COMPILE_CACHE ??= cache
  await importHttp()
  const { run } = await import(inClone ? '../src/cli/main.ts' : '../dist/cli/main.js')
  await run()
}

/**
 * Importing node:http reads all of its properties, and three of them make Node load the whole of its fetch(): time at
 * every start, and memory. The first import, which decides what all others see, is made without them. They are still
 * there as globals and as properties of the module.
 */
async function importHttp() {
  const http = process.getBuiltinModule('node:http')
  const heavy = Object.entries(Object.getOwnPropertyDescriptors(http)).filter(
    ([name, { get }]) => get && OF_FETCH.has(name),
  )
  for (const [name] of heavy) delete http[name]
  await import('node:http')
  Object.defineProperties(http, Object.fromEntries(heavy))
}

function restart(node) {
  const args = [CONDITION, ...process.execArgv, fileURLToPath(import.meta.url), ...process.argv.slice(2)]
  const env = { ...process.env, MOX_RESTARTED: '1' }
  // The same process, where the system can: signals and exit codes need no help then.
  if (typeof process.execve === 'function' && process.platform !== 'win32') process.execve(node, [node, ...args], env)
  const child = spawn(node, args, { stdio: 'inherit', env })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('error', error => {
    console.error(`mox: cannot start ${node}: ${error.message}`)
    process.exit(1)
  })
  child.on('exit', (code, signal) => process.exit(code ?? (signal === null ? 1 : 128)))
}
