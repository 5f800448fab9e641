// mox docs: the reference pages, made from the code itself. The same code gives the same bytes, so that --check can
// tell when a page in the repository is out of date.
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { UsageError } from '@mox/plugin-sdk'
import { localCommands } from '../local.ts'
import { optionsPage } from '../reference/options.ts'
import { commandsPage, hooksPage, metricsPage, servicesPage } from '../reference/pages.ts'
import type { LocalCommand } from '../types.ts'
import { readApplication } from './config.ts'

export const writeDocs: LocalCommand['run'] = async ({ flags }, { config }) => {
  const dir = flags.get('dir')
  if (typeof dir !== 'string') throw new UsageError('name the directory of the pages: --dir docs/reference')
  const application = await readApplication(config)
  const explained = application.host.explain()
  const pages = new Map([
    ['hooks.md', hooksPage()],
    ['options.md', optionsPage(application.config.plugins)],
    ['services.md', servicesPage(application.config.plugins, explained.plugins)],
    ['commands.md', commandsPage([...localCommands, ...application.commands])],
    ['metrics.md', metricsPage(application.base.metrics.list())],
  ])
  if (flags.get('check') === true) {
    const wrong: string[] = []
    for (const [name, text] of pages)
      if ((await readFile(join(dir, name), 'utf8').catch(() => undefined)) !== text) wrong.push(join(dir, name))
    if (wrong.length === 0) return { kind: 'text', text: `${dir} is up to date` }
    return { kind: 'text', text: `out of date: ${wrong.join(', ')}; run npm run docs`, failed: true }
  }
  await mkdir(dir, { recursive: true })
  for (const [name, text] of pages) await writeFile(join(dir, name), text)
  return { kind: 'text', text: `wrote ${[...pages.keys()].join(', ')} to ${dir}` }
}
