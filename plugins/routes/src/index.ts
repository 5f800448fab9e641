// routes: which transport takes mail for whom. Asked again at each attempt. A transport that does not exist stops the start.
import { definePlugin, didYouMean, directory, type PluginFactory, route, transports, UsageError } from '@mox/plugin-sdk'
import { options, tableOf } from './options.ts'
import { matchingRoutes, namesDomain, type Route, type RouteTable } from './route.ts'

/** Core's own transport for the domains here. */
const LOCAL = 'local'

export const routes: PluginFactory<typeof options> = definePlugin({
  name: 'routes',
  options,
  needs: { directory, transports },
  setup: ({ options, services: { directory, transports } }) => {
    const table = tableOf(options)
    return {
      beforeDeliver: async ({ job, attempt }) => {
        // An operator has chosen.
        if (job.transport !== undefined) return undefined
        const found = matchingRoutes(table, job, attempt)
        if (found.length === 0) return undefined
        const ours = (await directory.domain(job.recipientDomain)) !== undefined
        const first = found.find(one => !ours || namesDomain(one, job.recipientDomain))
        return first === undefined ? undefined : route(first.transport, 'a configured route')
      },
      start: () => {
        const known = [LOCAL, ...transports.map(({ name }) => name)]
        const problems = places(table).flatMap(([place, { transport }]) =>
          known.includes(transport)
            ? []
            : [`${place}.transport is "${transport}", which is no transport${hint(transport, known)}`],
        )
        if (problems.length > 0) throw new UsageError(problems.map(text => `routes: ${text}`).join('\n'))
      },
    }
  },
})

function hint(name: string, known: readonly string[]): string {
  return didYouMean(name, known) || `; there are ${known.map(one => `"${one}"`).join(', ')}`
}

/** Every route with where it is in the options. */
function places({ global, domains, accounts }: RouteTable): [string, Route][] {
  const list = (place: string, routes: readonly Route[]): [string, Route][] =>
    routes.map((one, i) => [`${place}[${i}]`, one])
  return [
    ...list('global', global),
    ...[...domains].flatMap(([name, routes]) => list(`domains["${name}"]`, routes)),
    ...[...accounts].flatMap(([name, routes]) => list(`accounts["${name}"]`, routes)),
  ]
}
