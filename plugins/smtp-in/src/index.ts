// smtp-in: SMTP servers for incoming mail and for submission. A port that cannot be bound stops the start, says which
// option to change, and leaves nothing half open.
import {
  certificates,
  clock,
  definePlugin,
  directory,
  log,
  metrics,
  optional,
  type PluginFactory,
  random,
  receiver,
  system,
  UsageError,
} from '@mox/plugin-sdk'
import type { Shared } from './context.ts'
import { smtpMetrics } from './metrics.ts'
import { ConnectionLimits } from './networks.ts'
import { type ListenerOptions, options } from './options.ts'
import { Server } from './server.ts'
import { Watchdog } from './watchdog.ts'

export const smtpIn: PluginFactory<typeof options> = definePlugin({
  name: 'smtp-in',
  options,
  needs: { receiver, directory, certificates: optional(certificates), clock, random, log, metrics, system },
  setup: ({ options, services }) => {
    const servers: Server[] = []
    const shared: Shared = {
      services,
      metrics: smtpMetrics(services.metrics),
      watchdog: new Watchdog(services.clock),
      connections: new ConnectionLimits(options.limits),
      limits: options.limits,
      allowPlainAuth: options.allowPlainAuth,
      earlyTalkerMs: options.earlyTalkerMs,
    }

    const open = async (name: string, listener: ListenerOptions, ip: string, several: boolean): Promise<void> => {
      const { kind, tls, maxMessageSize } = listener
      const hostname = listener.hostname ?? services.system.hostname
      const server = new Server({ ...shared, name, kind, tls, maxMessageSize, hostname })
      try {
        const bound = await server.bind(ip, listener.port)
        servers.push(server)
        services.log.info({ listener: name, address: ip, port: bound.port, kind, tls }, 'listening')
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException
        // A machine without IPv6 has no ::1; the address beside it is enough.
        if (several && ip.includes(':') && (code === 'EADDRNOTAVAIL' || code === 'EAFNOSUPPORT')) return
        throw bindError(code ?? String(error), name, ip, listener.port)
      }
    }

    return {
      listen: async () => {
        for (const [name, listener] of Object.entries(options.listeners))
          if (listener.tls !== 'none' && services.certificates === undefined)
            throw new UsageError(
              `smtp-in: listeners.${name}.tls is "${listener.tls}" but no plugin provides certificates; ` +
                'add certificates({…}) to plugins, or set tls to "none"',
            )
        try {
          for (const [name, listener] of Object.entries(options.listeners)) {
            const addresses = [listener.ip].flat()
            for (const ip of addresses) await open(name, listener, ip, addresses.length > 1)
          }
        } catch (error) {
          for (const server of servers.splice(0)) server.stop()
          throw error
        }
      },
      drain: async signal => {
        await Promise.all(servers.map(server => server.drain(signal)))
      },
      stop: () => {
        for (const server of servers.splice(0)) server.stop()
      },
    }
  },
})

function bindError(code: string, name: string, ip: string, port: number): UsageError {
  const option = `plugins: smtpIn({ listeners: { ${name}: { port } } })`
  const address = ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`
  if (code === 'EADDRINUSE')
    return new UsageError(
      `smtp-in: ${address} is in use by another program; stop it, or choose another port in ${option}`,
    )
  if (code === 'EACCES')
    return new UsageError(
      `smtp-in: no permission to listen on ${address}; start as root, or choose a port above 1023 in ${option}`,
    )
  return new UsageError(`smtp-in: cannot listen on ${address} (${code}); check ip and port in ${option}`)
}
