// Commands that run in this process and not in a server. Their code is loaded when they run.
import type { LocalCommand } from './types.ts'

type Info = Omit<LocalCommand, 'run'>

/** The code of a command is in the named export of a module. */
function later(info: Info, load: () => Promise<LocalCommand['run']>): LocalCommand {
  return { ...info, run: async (input, context) => await (await load())(input, context) }
}

export const localCommands: readonly LocalCommand[] = [
  later(
    {
      path: ['serve'],
      summary: 'run the server of a config',
      flags: [{ name: 'log-level', type: 'string', help: 'trace, debug, info, warn or error instead of the config’s' }],
      offline: true,
    },
    async () => (await import('./commands/serve.ts')).runServe,
  ),
  later(
    {
      path: ['config', 'check'],
      summary: 'check the config and the options of its plugins; starts nothing',
      offline: true,
    },
    async () => (await import('./commands/config.ts')).checkConfig,
  ),
  later(
    {
      path: ['config', 'show'],
      summary: 'the config as it is in effect, with defaults, without secrets',
      offline: true,
    },
    async () => (await import('./commands/config.ts')).showConfig,
  ),
  later(
    { path: ['plugin', 'list'], summary: 'plugins of the config in the order they start', offline: true },
    async () => (await import('./commands/plugin.ts')).listPlugins,
  ),
  later(
    {
      path: ['plugin', 'explain'],
      summary: 'which handlers a hook runs, in order, and why in this order',
      arguments: [{ name: 'HOOK', help: 'such as onReceive.data; default: all', required: false }],

      offline: true,
    },
    async () => (await import('./commands/plugin.ts')).explainHooks,
  ),
  later(
    {
      path: ['message', 'parse'],
      summary: 'show the structure of a message in a file as this server sees it',
      arguments: [{ name: 'FILE', help: 'a message (.eml), or - for standard input' }],
      offline: true,
    },
    async () => (await import('./commands/parse.ts')).parseMessage,
  ),
  later(
    {
      path: ['docs'],
      summary: 'write the reference pages: hooks, options, services, commands, metrics',
      flags: [
        { name: 'dir', type: 'string', help: 'where to write them' },
        {
          name: 'check',
          type: 'boolean',
          help: 'write nothing; exit code 1 when a page is not as it would be written',
        },
      ],
      offline: true,
    },
    async () => (await import('./commands/docs.ts')).writeDocs,
  ),
  later(
    { path: ['version'], summary: 'the version of mox, Node and the system', offline: true },
    async () => async () => {
      const { version } = await import('../base/version.ts')
      return { kind: 'text', text: `mox ${version()}, node ${process.version}, ${process.platform} ${process.arch}` }
    },
  ),
]
