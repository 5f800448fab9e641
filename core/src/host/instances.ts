// The plugins of a config as named instances: what is no plugin, and what is enabled twice under one name, stops the start.
import { type MoxConfig, type Plugin, UsageError } from '@mox/plugin-sdk'

export interface Instance {
  /** The plugin's name, or "plugin/instance". */
  readonly name: string
  readonly plugin: Plugin
}

const PLUGIN_NAME = /^[a-z0-9]+(?:-[a-z0-9]+)*$/
const INSTANCE_NAME = /^[A-Za-z0-9_-]{1,50}$/

/** In config order. Falsy entries are skipped. */
export function instancesOf(plugins: MoxConfig['plugins']): readonly Instance[] {
  const instances = new Map<string, Instance>()
  for (const [i, plugin] of plugins.entries()) {
    if (!plugin) continue
    const name = nameOf(plugin, i)
    if (instances.has(name))
      throw new UsageError(
        plugin.instance === undefined
          ? `plugins: ${name} is enabled twice; give the second one a name: ${name}({…}).as('other')`
          : `plugins: ${name} is enabled twice; give one of them another name in .as()`,
      )
    instances.set(name, { name, plugin })
  }
  return [...instances.values()]
}

function nameOf(plugin: Plugin, index: number): string {
  const factory: unknown = plugin
  if (typeof factory === 'function') {
    const called = (factory as { pluginName?: unknown }).pluginName
    throw new UsageError(
      `plugins[${index}] is a function; call it${typeof called === 'string' ? `, as in ${called}()` : ''}`,
    )
  }
  if (typeof plugin !== 'object' || typeof plugin.name !== 'string' || typeof plugin.spec?.setup !== 'function')
    throw new UsageError(`plugins[${index}] is no plugin; put in what a plugin's function returns`)
  if (!PLUGIN_NAME.test(plugin.name))
    throw new UsageError(
      `plugins[${index}] has the name ${JSON.stringify(plugin.name)}; names are lower-case words joined by dashes`,
    )
  if (plugin.instance === undefined) return plugin.name
  if (!INSTANCE_NAME.test(plugin.instance))
    throw new UsageError(
      `plugins[${index}]: ${plugin.name} is named .as(${JSON.stringify(plugin.instance)}); use 1 to 50 letters, digits, "_" and "-"`,
    )
  return `${plugin.name}/${plugin.instance}`
}

/** Whether `reference` ("webhooks", "webhooks/billing") means this instance: a plugin's name means all of its instances. */
export function isMeant(reference: string, instance: string): boolean {
  return instance === reference || instance.startsWith(`${reference}/`)
}
