// The settings of an account: JSON in one row. A field that cannot be read any more, or is not there yet, has its default, so
// that a new version never loses the others.
import type { Storage } from '@mox/plugin-sdk'
import { type Settings, settings as schema } from '../api/model.ts'
import { SETTING, type SettingRow } from '../schema.ts'
import { CallError, type Handlers } from './call.ts'
import { SETTINGS_BYTES } from './limits.ts'

/** Tells all processes whose settings changed. */
const CHANNEL = 'webmail-settings'

export const DEFAULT_SETTINGS: Settings = {
  signature: '',
  quoting: 'auto',
  showAddressSecurity: true,
  preferHtml: false,
  shortcutHints: true,
  showHeaders: [],
  theme: 'auto',
  layout: 'auto',
  threading: 'on',
  order: 'newest',
  sendDelay: 10,
  richText: false,
  keys: {},
  singleKeys: true,
  collapsed: [],
  identities: [],
  templates: [],
  searches: [],
  labels: [],
  extensions: {},
}

type Listener = (account: string, settings: Settings) => void

/** Settings of accounts, and who wants to hear of changes. */
export class SettingsStore {
  readonly #storage: Storage
  readonly #listeners = new Set<Listener>()
  #unsubscribe: (() => void) | undefined
  readonly #failed: (error: unknown) => void

  /** `failed` hears of changes that could not be read. */
  constructor(storage: Storage, failed: (error: unknown) => void) {
    this.#storage = storage
    this.#failed = failed
  }

  start(): void {
    this.#unsubscribe = this.#storage.subscribe(CHANNEL, payload => {
      if (typeof payload === 'string') this.#tell(payload).catch(this.#failed)
    })
  }

  stop(): void {
    this.#unsubscribe?.()
  }

  async get(account: string): Promise<Settings> {
    const row: SettingRow | undefined = await this.#storage.db<SettingRow>(SETTING).where({ account }).first()
    return readSettings(row?.value)
  }

  async save(account: string, settings: Settings): Promise<void> {
    const value = JSON.stringify(settings)
    if (Buffer.byteLength(value) > SETTINGS_BYTES)
      throw new CallError('tooLarge', 'the settings are too large; remove some templates or signatures')
    await this.#storage.write(async db => {
      await db<SettingRow>(SETTING).insert({ account, value }).onConflict('account').merge()
      this.#storage.notify(CHANNEL, account)
    })
  }

  /** Calls back after changes of an account's settings, by whichever window; returns how to stop. */
  onSettings(listener: Listener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  async #tell(account: string): Promise<void> {
    if (this.#listeners.size === 0) return
    const settings = await this.get(account)
    for (const listener of this.#listeners) listener(account, settings)
  }
}

export function makeSettingsCalls(store: SettingsStore): Handlers<'settingsSave'> {
  return {
    settingsSave: async ({ settings }, { account }) => {
      await store.save(account, settings)
      return {}
    },
  }
}

/** Settings as stored; undefined: none were. */
export function readSettings(text: string | undefined): Settings {
  const stored = parsed(text)
  const fields = Object.entries(schema.shape).flatMap(([name, field]) => {
    const result = field.safeParse(Object.hasOwn(stored, name) ? stored[name] : undefined)
    return result.success ? [[name, result.data]] : []
  })
  return { ...DEFAULT_SETTINGS, ...Object.fromEntries(fields) }
}

function parsed(text: string | undefined): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text ?? '{}')
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}
