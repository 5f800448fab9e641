// The services that core itself provides to every plugin: time, randomness, logs, counters, secrets.
import { defineService, type ServiceToken } from '../define/service.ts'

/** Every "now" and every timer comes from here, so that a virtual clock can run days in seconds. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number
  /** Runs `work` once after `ms` milliseconds; returns a function that cancels it. The timer does not keep the process alive. */
  after(ms: number, work: () => void): () => void
  /** Resolves after `ms` milliseconds; rejects with the signal's reason when it aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

/** Randomness; replaced by a seeded one in tests. */
export interface Random {
  bytes(n: number): Buffer
  /** A number in [0, 1). */
  number(): number
  /** A 26-character lower-case base32 id with 128 bits of randomness. */
  id(): string
}

/** A structured logger. Text is fixed; what varies goes into fields. */
export interface Log {
  trace(fields: object, text: string): void
  debug(fields: object, text: string): void
  info(fields: object, text: string): void
  warn(fields: object, text: string): void
  error(fields: object, text: string): void
  child(fields: object): Log
}

/** Labels of a metric by name; few values each, never something that a peer chooses freely. */
export type Labels = Readonly<Record<string, string>>

/** Prometheus-style metrics; names start with "mox_". Declaring the same metric twice gives the same one. */
export interface Metrics {
  counter(name: string, help: string): { inc(labels?: Labels, by?: number): void }
  gauge(name: string, help: string): { set(value: number, labels?: Labels): void }
  histogram(name: string, help: string, buckets: readonly number[]): { observe(value: number, labels?: Labels): void }
  /** Runs before each rendering, to set gauges. */
  collect(work: () => void | Promise<void>): void
  /** The Prometheus text format, version 0.0.4. */
  render(): Promise<string>
}

/** What the name of a secret may be. */
export const SECRET_NAME: RegExp = /^[a-z0-9][a-z0-9-]{0,63}$/
/** For options that take the name of a secret: what is told when it does not match SECRET_NAME. */
export const SECRET_NAME_WANTED: string =
  'must be the name of a secret, lower-case letters, digits and dashes: "smtp-relay" is MOX_SECRET_SMTP_RELAY in the environment'

/** Secrets by name: the environment variable MOX_SECRET_<NAME>, or the file <dataDir>/secrets/<name>; made on first use where `generate` says so. */
export interface Secrets {
  /** Throws a UsageError that names the variable and the file when missing. */
  get(name: string): Promise<string>
  /** Returns the secret, or makes one of `bytes` random bytes (base64url) and keeps it in a file with mode 0600. */
  generate(name: string, bytes: number): Promise<string>
}

/** What a plugin may know of the installation. */
export interface System {
  readonly hostname: string
  /** Absolute. */
  readonly dataDir: string
  readonly version: string
}

/** Every "now" and every timer. */
export const clock: ServiceToken<Clock, 'one'> = defineService<Clock>('clock@1')
/** Ids, and randomness that tests can repeat. */
export const random: ServiceToken<Random, 'one'> = defineService<Random>('random@1')
/** A logger of the plugin's own. */
export const log: ServiceToken<Log, 'one'> = defineService<Log>('log@1')
/** Counters, gauges and histograms. */
export const metrics: ServiceToken<Metrics, 'one'> = defineService<Metrics>('metrics@1')
/** Passwords and keys. */
export const secrets: ServiceToken<Secrets, 'one'> = defineService<Secrets>('secrets@1')
/** Facts about this installation. */
export const system: ServiceToken<System, 'one'> = defineService<System>('system@1')
