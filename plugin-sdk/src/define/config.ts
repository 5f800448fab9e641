// defineConfig: the type of mox.config.ts. Core's own settings are few; everything else is an option of a plugin.
import type { Plugin } from './plugin.ts'

/** What mox.config.ts exports. Unknown options are refused, with the nearest known one. */
export interface MoxConfig {
  /** Our name in greetings and trace headers: a fully qualified domain name. */
  readonly hostname: string
  /** Where everything is stored; relative to the config file. Default "data". */
  readonly dataDir?: string
  /** User to become after ports are bound, when started as root (a name or numeric id). */
  readonly user?: string
  readonly log?: {
    /** Default "info". `trace` shows protocol lines. */
    readonly level?: 'trace' | 'debug' | 'info' | 'warn' | 'error'
    /** Default "logfmt". */
    readonly format?: 'logfmt' | 'json'
  }
  readonly queue?: QueueConfig
  readonly hooks?: {
    /** Pins the order of a hook's handlers: plugin names, first to last; others follow in computed order. */
    readonly order?: Readonly<Record<string, readonly string[]>>
    /** Overrides what a failing handler counts as: { "my-policy": { "onReceive.rcpt": "pass" } }. */
    readonly onError?: Readonly<Record<string, Readonly<Record<string, string>>>>
  }
  readonly plugins: readonly (Plugin | false | null | undefined | '' | 0)[]
}

/** How the queue delivers. */
export interface QueueConfig {
  /** Delivery attempts in progress in total. Default 100. */
  readonly concurrency?: number
  /** Delivery attempts in progress per recipient domain. Default 5. */
  readonly concurrencyPerDomain?: number
  /**
   * Seconds to wait after attempt 1, 2, … fails; as many attempts as entries plus one.
   * Default 450, 900, 1800, 3600, 7200, 14400, 28800. Each wait is varied by ±1 %.
   */
  readonly retrySchedule?: readonly number[]
  /** Days that delivered and failed recipients stay in the history. Default 7. */
  readonly keepRetiredDays?: number
  /** Start with delivery stopped; `mox queue resume` starts it. Default false. */
  readonly paused?: boolean
}

/** Gives mox.config.ts its type; returns the config unchanged. */
export function defineConfig(config: MoxConfig): MoxConfig {
  return config
}
