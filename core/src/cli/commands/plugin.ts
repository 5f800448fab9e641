// mox plugin list, explain: what each plugin takes part in, and in which order handlers run.
import { didYouMean, UsageError } from '@mox/plugin-sdk'
import type { LocalCommand } from '../types.ts'
import { readApplication } from './config.ts'

export const listPlugins: LocalCommand['run'] = async (_, { config }) => {
  const { host } = await readApplication(config)
  const rows = host.explain().plugins.map(({ name, needs, provides, hooks }) => ({ name, provides, needs, hooks }))
  return { kind: 'rows', columns: ['name', 'provides', 'needs', 'hooks'], rows }
}

export const explainHooks: LocalCommand['run'] = async ({ arguments: [wanted], flags }, { config }) => {
  const { host } = await readApplication(config)
  const { hooks } = host.explain()
  if (wanted !== undefined && !hooks.some(h => h.hook === wanted)) {
    const names = hooks.map(h => h.hook)
    throw new UsageError(
      `there is no hook "${wanted}"${didYouMean(wanted, names) || `; there are ${names.join(', ')}`}`,
    )
  }
  const rows = hooks
    .filter(({ hook }) => wanted === undefined || hook === wanted)
    .flatMap(({ hook, handlers }) =>
      handlers.map((h, i) => ({
        hook,
        order: i + 1,
        plugin: h.plugin,
        place: h.place,
        timeoutMs: h.timeoutMs,
        onError: h.onError,
      })),
    )
  if (rows.length === 0 && flags.get('json') !== true)
    return { kind: 'text', text: `no plugin handles ${wanted ?? 'a hook'}` }
  return { kind: 'rows', columns: ['hook', 'order', 'plugin', 'place', 'timeoutMs', 'onError'], rows }
}
