// weekend-hold: mail to some domains waits until Monday morning. Wrong options stop the start and say which and why; a failure
// of the handler lets mail pass.
import { clock, definePlugin, type OptionsParser, type PluginFactory, postpone } from '@mox/plugin-sdk'
import { opensAgain } from './weekend.ts'

export interface Options {
  /** Recipient domains, lower case. */
  readonly domains: readonly string[]
  /** Hour of Monday, UTC, 0 to 23. Default 8. */
  readonly opensAt: number
}

const options: OptionsParser<Options> = {
  parse(input) {
    const { domains, opensAt = 8, ...others } = input as Partial<Options>
    const [unknown] = Object.keys(others)
    if (unknown !== undefined) throw new Error(`${unknown} is not an option; there are domains and opensAt`)
    if (!Array.isArray(domains) || domains.length === 0 || !domains.every(isDomain))
      throw new Error('domains must be a list of domain names in lower case, such as ["office.example"]')
    if (!Number.isInteger(opensAt) || opensAt < 0 || opensAt > 23)
      throw new Error(`opensAt is ${String(opensAt)}; it must be an hour from 0 to 23`)
    return { domains, opensAt }
  },
}

const isDomain = (value: unknown): boolean => typeof value === 'string' && /^[a-z0-9.-]{1,253}$/.test(value)

export const weekendHold: PluginFactory<typeof options> = definePlugin({
  name: 'weekend-hold',
  options,
  needs: { clock },
  setup: ({ options, services }) => ({
    beforeDeliver: {
      after: ['?suppression'],
      timeoutMs: 500,
      onError: 'pass',
      category: 'policy',
      handler: ({ job }) => {
        if (!options.domains.includes(job.recipientDomain)) return
        const until = opensAgain(services.clock.now(), options.opensAt)
        return until === undefined ? undefined : postpone(until, 'closed at the weekend')
      },
    },
  }),
})
