// Starts mox from an installed copy instead of from the sources of this repository.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { Server } from './server.ts'

/** Runs `mox serve` in a folder that has mox in its node_modules and a mox.config.ts. */
export async function startInstalled(folder: string): Promise<Server> {
  const child = spawn(process.execPath, [join(folder, 'node_modules', '.bin', 'mox'), 'serve'], {
    cwd: folder,
    env: { ...process.env, NODE_OPTIONS: '' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const server = new Server(child, folder, join(folder, 'mox.config.ts'), false)
  await server.whenReady(30_000)
  return server
}
