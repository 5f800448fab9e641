// The README's walk through works as it is written: its commands are taken from the README and run against a localserve
// whose ports are free ones. Parts that need a program which is not installed are skipped and say so.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { test } from 'vitest'
import { installed, mox, run } from '../kit/cli.ts'
import { type Localserve, startLocalserve } from '../kit/localserve.ts'
import { eventually } from '../kit/temp.ts'

const README = new URL('../../README.md', import.meta.url)

test('the walk through of the README', async ({ annotate }) => {
  const blocks = await walkThrough()
  await using server = await startLocalserve()
  const ports: Record<string, number> = {
    1080: server.port('http'),
    1587: server.port('submission'),
    1465: server.port('submissions'),
  }
  let sent = 0
  let explained = ''
  for (const block of blocks) {
    const text = block.replace(/\blocalhost:(\d+)/g, (whole, port: string) => {
      const actual = ports[port]
      return actual === undefined ? whole : `127.0.0.1:${actual}`
    })
    if (text.startsWith('npx mox')) {
      await eventually(async () =>
        assert.equal((await server.get<{ messages: object[] }>('/api/messages')).messages.length, sent),
      )
      for (const line of text.trim().split('\n')) {
        if (sent === 0) continue
        const result = await mox([...line.trim().split(/\s+/).slice(2), '--config', server.configFile])
        assert.equal(result.code, 0, `${line}: ${result.stderr}${result.stdout}`)
        explained += result.stdout
      }
      continue
    }
    const program = /^(curl|swaks) /.exec(text)?.[1]
    if (program !== undefined && !(await installed(program))) {
      await annotate(`skipped: ${program} is not installed`)
      continue
    }
    const result = await run(['sh', '-e', '-c', text], { cwd: server.dir })
    assert.equal(result.code, 0, `${text}\n${result.stdout}${result.stderr}`)
    sent += text.match(/^(?:curl|swaks) /gm)?.length ?? 0
  }
  if (sent > 0) assert.match(explained, /friend@example\.org/)
  await application(server)
})

/** The TypeScript of the README sends a message and is told that it failed. It reads on for ever. */
async function application(server: Localserve): Promise<void> {
  const [, program = ''] = /\n```ts\n(import \{ MoxClient[\s\S]*?)```/.exec(await readFile(README, 'utf8')) ?? []
  assert.ok(program.trim().split('\n').length <= 15, 'it is short')
  const text = program.replace('http://localhost:1080', server.url(''))
  const options = ['--conditions=mox-source', '--input-type=module-typescript', '-e', text]
  const child = spawn(process.execPath, options, { cwd: fileURLToPath(new URL('../..', import.meta.url)) })
  try {
    let printed = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => (printed += String(chunk)))
    await eventually(() => assert.match(printed, /^\d+\npermerror500@example\.org .+ 7\n/))
  } finally {
    child.kill('SIGKILL')
    if (child.exitCode === null && child.signalCode === null) await once(child, 'close')
  }
}

/** The `sh` blocks of the section, without the blocks that start a server. */
async function walkThrough(): Promise<string[]> {
  const readme = await readFile(README, 'utf8')
  const section = /\n## A walk through\n([\s\S]*?)\n## /.exec(readme)?.[1]
  assert.ok(section !== undefined, 'the README has a section "A walk through"')
  const blocks = [...section.matchAll(/\n```sh\n([\s\S]*?)```/g)].map(m => m[1] ?? '')
  assert.ok(blocks.length >= 4, 'it has commands')
  return blocks
}
