// All scenarios: those of the config, one per file of a directory, and those that tests set. Files are read again when they
// change; one that is wrong stops the start, and later is reported while what it said before goes on.
import { type FSWatcher, watch } from 'node:fs'
import { mkdir, readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type Clock, type Log, UsageError } from '@mox/plugin-sdk'
import { displayDomain } from '@mox/plugin-sdk/mail'
import type { ScenarioStatus } from '../api-types.ts'
import { problemsOf } from '../requests.ts'
import { Play, type Played } from './play.ts'
import { domainOf, type Scenario, scenario } from './schema.ts'

/** Files that are read, and bytes of one. */
export const SCENARIO_FILES = 1_000
export const SCENARIO_BYTES = 262_144
/** Milliseconds after a change until files are read: editors write several times. */
export const RELOAD_MS = 100

type Source = 'config' | 'file' | 'test'

interface Entry {
  readonly source: Source
  readonly scenario: Scenario
  /** As JSON: a file that says the same as before goes on where it is. */
  readonly text: string
  play: Play
}

export interface ScenariosDeps {
  readonly clock: Clock
  readonly log: Log
  /** Absolute. Made when it is not there. */
  readonly dir: string
  /** By domain, as the config has them. */
  readonly configured: Readonly<Record<string, Scenario>>
}

export class Scenarios {
  readonly #deps: ScenariosDeps
  /** By source and domain: what a test sets stands before files, and those before the config. */
  readonly #entries: Readonly<Record<Source, Map<string, Entry>>> = {
    test: new Map(),
    file: new Map(),
    config: new Map(),
  }
  /** By file name. */
  readonly #problems = new Map<string, string>()
  #watcher: FSWatcher | undefined
  #reading: Promise<void> = Promise.resolve()
  #cancel: (() => void) | undefined

  /** Throws a UsageError for a name in the config that is no domain. */
  constructor(deps: ScenariosDeps) {
    this.#deps = deps
    for (const [name, given] of Object.entries(deps.configured)) {
      const domain = domainOf(name)
      if (domain === undefined) throw new UsageError(`localserve: scenarios: ${JSON.stringify(name)} is not a domain`)
      this.#put('config', domain, given)
    }
  }

  /** What happens to the next recipient at this domain; undefined without a scenario. */
  ask(domain: string): Played | undefined {
    return this.#find(domain)?.play.next(this.#deps.clock.now())
  }

  /** Sets one, from its beginning, until the server stops or reset(). */
  set(domain: string, given: Scenario): void {
    this.#put('test', domain, given, true)
  }

  /** Removes one that was set; false when there is none. */
  unset(domain: string): boolean {
    return this.#entries.test.delete(domain)
  }

  /** Forgets what tests set; the others begin again. */
  reset(): void {
    this.#entries.test.clear()
    for (const map of Object.values(this.#entries))
      for (const [domain, entry] of map) entry.play = new Play(displayDomain(domain), entry.scenario)
  }

  status(): ScenarioStatus {
    const domains = new Set(Object.values(this.#entries).flatMap(map => [...map.keys()]))
    const now = this.#deps.clock.now()
    return {
      scenarios: [...domains].sort().map(domain => {
        const { source, scenario: s, play } = this.#find(domain)!
        return { domain: displayDomain(domain), source, steps: s.steps.length, ...play.position(now) }
      }),
      problems: [...this.#problems].map(([file, problem]) => ({ file, problem })),
    }
  }

  /** Reads all files, and again when something changes. Throws a UsageError that lists every problem. */
  async start(): Promise<void> {
    const { dir } = this.#deps
    await mkdir(dir, { recursive: true, mode: 0o700 })
    // Before reading, so that no change is missed.
    this.#watcher = watch(dir, () => this.#readSoon())
    this.#watcher.on('error', error => this.#deps.log.error({ err: error, dir }, 'changes of scenarios are not seen'))
    await this.#read()
    if (this.#problems.size === 0) return
    await this.stop()
    throw new UsageError([...this.#problems].map(([file, problem]) => `${join(dir, file)}: ${problem}`).join('\n'))
  }

  async stop(): Promise<void> {
    this.#watcher?.close()
    this.#cancel?.()
    await this.#reading
  }

  #find(domain: string): Entry | undefined {
    const { test, file, config } = this.#entries
    return test.get(domain) ?? file.get(domain) ?? config.get(domain)
  }

  #put(source: Source, domain: string, given: Scenario, anew: boolean = false): void {
    const text = JSON.stringify(given)
    if (!anew && this.#entries[source].get(domain)?.text === text) return
    const play = new Play(displayDomain(domain), given)
    this.#entries[source].set(domain, { source, scenario: given, text, play })
  }

  #readSoon(): void {
    this.#cancel ??= this.#deps.clock.after(RELOAD_MS, () => {
      this.#cancel = undefined
      this.#reading = this.#reading
        .then(() => this.#read())
        .catch(error => this.#deps.log.error({ err: error, dir: this.#deps.dir }, 'scenarios could not be read'))
    })
  }

  async #read(): Promise<void> {
    const { dir, log } = this.#deps
    const names = (await readdir(dir)).filter(name => name.endsWith('.json') && !name.startsWith('.')).sort()
    const kept = new Set<string>()
    this.#problems.clear()
    for (const [index, name] of names.entries()) {
      try {
        if (index >= SCENARIO_FILES) throw new UsageError(`there are more than ${SCENARIO_FILES} files; remove some`)
        const domain = domainOf(name.slice(0, -'.json'.length))
        if (domain === undefined) throw new UsageError('the name of the file is not a domain and .json')
        kept.add(domain)
        this.#put('file', domain, await readScenario(join(dir, name)))
      } catch (error) {
        const problem = (error as Error).message
        this.#problems.set(name, problem)
        log.error({ file: join(dir, name), problem }, 'a scenario is wrong, what it said before goes on')
      }
    }
    for (const domain of this.#entries.file.keys()) if (!kept.has(domain)) this.#entries.file.delete(domain)
  }
}

async function readScenario(file: string): Promise<Scenario> {
  if ((await stat(file)).size > SCENARIO_BYTES) throw new UsageError(`it has more than ${SCENARIO_BYTES} bytes`)
  const text = await readFile(file, 'utf8')
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new UsageError(`it is not JSON: ${(error as Error).message}`)
  }
  const result = scenario.safeParse(value)
  if (result.success) return result.data
  throw new UsageError(problemsOf(result.error).join('; '))
}
